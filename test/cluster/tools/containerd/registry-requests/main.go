// Which registries containerd asks for images with a folder of hosts.toml files (github.com/containerd/containerd/v2, core/remotes/docker and
// core/remotes/docker/config), where each answers that it does not have the image.
//
// Each document of standard input is one question, {"files": [{"path": "...", "text": "..."}], "images": ["..."]}; each answer is one line,
// {"pulls": [PULL]} with one PULL for each image. A PULL is {"requests": ["https://HOST/v2/..."]} with the requests for the manifest in their
// order, or {"error": "..."} where a file or the image is refused.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/log"
	"github.com/distribution/reference"
)

type file struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

type question struct {
	Files  []file   `json:"files"`
	Images []string `json:"images"`
}

type pull struct {
	Requests []string `json:"requests,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// recorder answers instead of every registry.
type recorder struct{ requests []string }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	// Without the name of the host of the image, which a registry may ignore.
	asked := *request.URL
	asked.RawQuery = ""
	if strings.Contains(asked.Path, "/manifests/") {
		r.requests = append(r.requests, asked.String())
	}
	return &http.Response{StatusCode: http.StatusNotFound, Status: "404 Not Found", Body: http.NoBody, Request: request}, nil
}

func main() {
	if err := log.SetLevel("panic"); err != nil {
		fail(err)
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fail(err)
		}
		pulls, err := ask(asked)
		if err == nil {
			err = out.Encode(map[string]any{"pulls": pulls})
		}
		if err != nil {
			fail(err)
		}
	}
}

func ask(asked question) ([]pull, error) {
	folder, err := os.MkdirTemp("", "registry-requests")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	for _, each := range asked.Files {
		path := filepath.Join(folder, each.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(each.Text), 0o600); err != nil {
			return nil, err
		}
	}
	pulls := []pull{}
	for _, image := range asked.Images {
		requests, err := requestsFor(folder, image)
		if err != nil {
			pulls = append(pulls, pull{Error: err.Error()})
		} else {
			pulls = append(pulls, pull{Requests: requests})
		}
	}
	return pulls, nil
}

func requestsFor(folder, image string) ([]string, error) {
	// As containerd's plugin for Kubernetes does: the digest wins over the tag.
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return nil, err
	}
	asked := &recorder{}
	options := config.HostOptions{
		HostDir:      config.HostDirFromRoot(folder),
		UpdateClient: func(client *http.Client) error { client.Transport = asked; return nil },
	}
	ctx := context.Background()
	hosts := config.ConfigureHosts(ctx, options)
	if _, err := hosts(reference.Domain(named)); err != nil {
		return nil, err
	}
	_, _, err = docker.NewResolver(docker.ResolverOptions{Hosts: hosts}).Resolve(ctx, named.String())
	if len(asked.requests) == 0 {
		return nil, err
	}
	return asked.requests, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
