// Where CRI-O and Podman pull images from with a registries.conf (go.podman.io/image/v5, pkg/sysregistriesv2 and pkg/shortnames).
//
// Each document of standard input is one question, {"file": "TEXT", "images": ["..."]}; each answer is one line, {"pulls": [PULL],
// "printed": "TEXT"} with one PULL for each image and the file as the package prints it, or {"error": "..."} where the file is refused. A PULL is {"sources": [{"reference": "...", "insecure": false}]}, the
// sources in the order in which they are tried, or {"error": "..."}.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"go.podman.io/image/v5/pkg/shortnames"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/types"
)

type question struct {
	File   string   `json:"file"`
	Images []string `json:"images"`
}

type source struct {
	Reference string `json:"reference"`
	Insecure  bool   `json:"insecure"`
}

type pull struct {
	Sources []source `json:"sources,omitempty"`
	Error   string   `json:"error,omitempty"`
}

type answer struct {
	Pulls   []pull `json:"pulls,omitempty"`
	Printed string `json:"printed,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	folder, err := os.MkdirTemp("", "pull-sources")
	if err != nil {
		fail(err)
	}
	err = answerAll(folder)
	os.RemoveAll(folder)
	if err != nil {
		fail(err)
	}
}

func answerAll(folder string) error {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answered, err := ask(folder, asked)
		if err != nil {
			return err
		}
		if err := out.Encode(answered); err != nil {
			return err
		}
	}
}

func ask(folder string, asked question) (answer, error) {
	// None of these but the first exists: nothing of this machine is read.
	system := &types.SystemContext{
		SystemRegistriesConfPath:    filepath.Join(folder, "registries.conf"),
		SystemRegistriesConfDirPath: filepath.Join(folder, "registries.conf.d"),
		UserShortNameAliasConfPath:  filepath.Join(folder, "short-name-aliases.conf"),
	}
	if err := os.WriteFile(system.SystemRegistriesConfPath, []byte(asked.File), 0o600); err != nil {
		return answer{}, err
	}
	sysregistriesv2.InvalidateCache()
	read, err := sysregistriesv2.TryUpdatingCache(system)
	if err != nil {
		return answer{Error: err.Error()}, nil
	}
	printed := &strings.Builder{}
	if err := toml.NewEncoder(printed).Encode(read); err != nil {
		return answer{}, err
	}
	answered := answer{Printed: printed.String()}
	for _, image := range asked.Images {
		sources, err := sourcesOf(system, image)
		if err != nil {
			answered.Pulls = append(answered.Pulls, pull{Error: err.Error()})
		} else {
			answered.Pulls = append(answered.Pulls, pull{Sources: sources})
		}
	}
	return answered, nil
}

func sourcesOf(system *types.SystemContext, image string) ([]source, error) {
	resolved, err := shortnames.Resolve(system, image)
	if err != nil {
		return nil, err
	}
	sources := []source{}
	for _, candidate := range resolved.PullCandidates {
		registry, err := sysregistriesv2.FindRegistry(system, candidate.Value.String())
		if err != nil {
			return nil, err
		}
		if registry == nil {
			sources = append(sources, source{Reference: candidate.Value.String()})
			continue
		}
		if registry.Blocked {
			return nil, fmt.Errorf("registry %s is blocked", registry.Prefix)
		}
		pulled, err := registry.PullSourcesFromReference(candidate.Value)
		if err != nil {
			return nil, err
		}
		for _, each := range pulled {
			sources = append(sources, source{Reference: each.Reference.String(), Insecure: each.Endpoint.Insecure})
		}
	}
	return sources, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
