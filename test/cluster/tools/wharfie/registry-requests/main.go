// Which registries K3s asks for images with a registries.yaml (github.com/rancher/wharfie/pkg/registries), where each answers that it does
// not have the image. K3s reads the file by this package, and pulls its own images by it; for those of pods it makes hosts.toml files of it,
// by code that is not to be had as a module.
//
// Each document of standard input is one question, {"file": "TEXT", "images": ["..."]}; each answer is one line, {"pulls": [PULL],
// "printed": "TEXT"} with one PULL for each image and the file as the package prints it, or {"error": "..."} where the file is refused. A PULL
// is {"requests": ["https://HOST/v2/..."]} with the requests for the manifest in their order, or {"error": "..."}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unsafe"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rancher/wharfie/pkg/registries"
	"github.com/sirupsen/logrus"
	"gopkg.in/yaml.v2"
)

type question struct {
	File   string   `json:"file"`
	Images []string `json:"images"`
}

type pull struct {
	Requests []string `json:"requests,omitempty"`
	Error    string   `json:"error,omitempty"`
}

type answer struct {
	Pulls   []pull `json:"pulls,omitempty"`
	Printed string `json:"printed,omitempty"`
	Error   string `json:"error,omitempty"`
}

// recorder is every registry: it answers that it does not have the manifest.
type recorder struct{ requests []string }

// transport sends what is for any host to the recorder, with TLS and without.
func (r *recorder) transport(scheme string) (*http.Transport, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if !strings.Contains(request.URL.Path, "/manifests/") {
			return
		}
		r.requests = append(r.requests, scheme+"://"+request.Host+request.URL.Path)
		response.WriteHeader(http.StatusNotFound)
	}))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
	}
	return &http.Transport{DialContext: dial, DialTLSContext: dial}, nil
}

func main() {
	logrus.SetLevel(logrus.PanicLevel)
	folder, err := os.MkdirTemp("", "registry-requests")
	if err != nil {
		fail(err)
	}
	err = answerAll(filepath.Join(folder, "registries.yaml"))
	os.RemoveAll(folder)
	if err != nil {
		fail(err)
	}
}

func answerAll(path string) error {
	asked := &recorder{}
	plain, err := asked.transport("http")
	if err != nil {
		return err
	}
	encrypted, err := asked.transport("https")
	if err != nil {
		return err
	}
	remote.DefaultTransport = plain
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var next question
		if err := in.Decode(&next); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answered := answer{}
		if printed, err := printedForm(next.File); err != nil {
			answered.Error = err.Error()
		} else if err := os.WriteFile(path, []byte(next.File), 0o600); err != nil {
			return err
		} else {
			answered.Printed = printed
			for _, image := range next.Images {
				asked.requests = nil
				if err := request(path, image, encrypted); len(asked.requests) == 0 && err != nil {
					answered.Pulls = append(answered.Pulls, pull{Error: err.Error()})
				} else {
					answered.Pulls = append(answered.Pulls, pull{Requests: asked.requests})
				}
			}
		}
		if err := out.Encode(answered); err != nil {
			return err
		}
	}
}

// printedForm refuses keys that wharfie would pass over.
func printedForm(text string) (string, error) {
	read := &registries.Registry{}
	if err := yaml.UnmarshalStrict([]byte(text), read); err != nil {
		return "", err
	}
	printed, err := yaml.Marshal(read)
	return string(printed), err
}

func request(path, image string, encrypted *http.Transport) error {
	reference, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	registry, err := registries.GetPrivateRegistries(path)
	if err != nil {
		return err
	}
	// It would make a transport for each host that it asks with TLS.
	field := reflect.ValueOf(registry).Elem().FieldByName("transports")
	transports := *(*map[string]*http.Transport)(unsafe.Pointer(field.UnsafeAddr()))
	transports[reference.Context().RegistryStr()] = encrypted
	for _, mirror := range registry.Registry.Mirrors {
		for _, endpoint := range mirror.Endpoints {
			parsed, err := url.Parse(endpoint)
			if err != nil {
				return err
			}
			transports[parsed.Host] = encrypted
		}
	}
	_, err = registry.Image(reference)
	return err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
