// What a kubelet makes of pull secrets (k8s.io/kubernetes/pkg/credentialprovider): which credentials it would try for an image, in order.
//
// Each line of standard input is one question, {"secrets": [{"type": "...", "data": {"KEY": "TEXT"}}], "image": "..."}; each answer is one
// line, {"found": true, "credentials": [{"username": "...", "password": "..."}]} or {"error": "..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
)

type question struct {
	Secrets []struct {
		Type string            `json:"type"`
		Data map[string]string `json:"data"`
	} `json:"secrets"`
	Image string `json:"image"`
}

type credential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type answer struct {
	Found       bool         `json:"found"`
	Credentials []credential `json:"credentials"`
	Error       string       `json:"error,omitempty"`
}

func ask(asked question) answer {
	given := make([]v1.Secret, len(asked.Secrets))
	for index, secret := range asked.Secrets {
		data := map[string][]byte{}
		for key, text := range secret.Data {
			data[key] = []byte(text)
		}
		given[index] = v1.Secret{Type: v1.SecretType(secret.Type), Data: data}
		given[index].Namespace, given[index].Name = "default", fmt.Sprintf("secret-%d", index)
	}
	ring, err := secrets.MakeDockerKeyring(given, &credentialprovider.UnionDockerKeyring{})
	if err != nil {
		return answer{Error: err.Error(), Credentials: []credential{}}
	}
	found, ok := ring.Lookup(asked.Image)
	result := answer{Found: ok, Credentials: []credential{}}
	for _, each := range found {
		result.Credentials = append(result.Credentials, credential{Username: each.Username, Password: each.Password})
	}
	return result
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var asked question
		if err == nil {
			err = json.Unmarshal(line, &asked)
		}
		if err == nil {
			err = out.Encode(ask(asked))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
