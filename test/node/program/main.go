// The one program in the images of the node's tests: it waits, serves, asks, injects a sidecar or makes a pod, as its arguments say.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	mode := "wait"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "wait":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		<-stop
	case "done":
		fmt.Println("done")
	case "read":
		show(os.ReadFile(os.Args[2]))
	case "inject-sidecar":
		http.HandleFunc("/", injectSidecar(os.Args[2]))
		exit(http.ListenAndServeTLS(":8443", "/certs/tls.crt", "/certs/tls.key", nil))
	case "create-pod":
		exit(createPod(os.Args[2], os.Args[3]))
	default:
		exit(fmt.Errorf("no such mode: %s", mode))
	}
}

func exit(err error) {
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func show(text []byte, err error) {
	exit(err)
	fmt.Print(string(text))
}

// A mutating webhook that adds a container with the image, once, as service meshes do.
func injectSidecar(image string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var review struct {
			Request struct {
				UID    string
				Object struct {
					Spec struct{ Containers []struct{ Name string } }
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		response := map[string]any{"uid": review.Request.UID, "allowed": true}
		present := false
		for _, container := range review.Request.Object.Spec.Containers {
			present = present || container.Name == "sidecar"
		}
		if !present {
			container := map[string]any{"name": "sidecar", "image": image}
			patch, _ := json.Marshal([]any{map[string]any{"op": "add", "path": "/spec/containers/-", "value": container}})
			response["patchType"] = "JSONPatch"
			response["patch"] = patch
		}
		json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
	}
}

// Creates the pod in the file as the pod's own service account, as operators do.
func createPod(file, namespace string) error {
	const account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	pod, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return err
	}
	url := fmt.Sprintf("https://%s:%s/api/v1/namespaces/%s/pods", os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"), namespace)
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(pod))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+string(token))
	// The node's network has nobody else in it.
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	fmt.Println(response.Status)
	return nil
}
