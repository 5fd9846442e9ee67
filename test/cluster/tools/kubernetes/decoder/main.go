// Reads manifests as kubectl does (k8s.io/apimachinery NewYAMLOrJSONDecoder, which is sigs.k8s.io/yaml) and answers as JSON.
//
// Without arguments: standard input is one text; each document is printed as one line of compact JSON, and a text that kubectl refuses
// ends with exit code 1 and the reason on standard error.
// With -stream: each line of standard input is one text as a JSON string; each answer is one line, {"documents": [...]} or {"error": "..."}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-stream" {
		stream()
		return
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	documents, err := decode(text)
	for _, document := range documents {
		fmt.Println(string(document))
	}
	if err != nil {
		fail(err)
	}
}

func decode(text []byte) ([]json.RawMessage, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	documents := []json.RawMessage{}
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, err
		}
		// An empty document, as between two separators, is none to kubectl.
		if raw = bytes.TrimSpace(raw); len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return documents, err
		}
		documents = append(documents, compact.Bytes())
	}
}

func stream() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		var text string
		if err == nil {
			err = json.Unmarshal(line, &text)
		}
		if err != nil {
			fail(err)
		}
		answer := map[string]any{}
		if documents, err := decode([]byte(text)); err != nil {
			answer["error"] = err.Error()
		} else {
			answer["documents"] = documents
		}
		encoded, err := json.Marshal(answer)
		if err != nil {
			fail(err)
		}
		out.Write(append(encoded, '\n'))
		out.Flush()
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
