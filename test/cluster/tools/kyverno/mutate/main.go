// What Kyverno makes of admission requests with a MutatingPolicy (github.com/kyverno/kyverno, pkg/cel/policies/mpol/engine): the call that its
// webhook makes for each request.
//
// Each document of standard input is one question, {"policy": MUTATINGPOLICY, "namespace": NAMESPACE, "requests": [ADMISSIONREQUEST]}; each
// answer is one line, {"results": [RESULT]} with one RESULT for each request, or {"error": "..."} where the policy is refused. A RESULT is
// {"object": OBJECT} with the object as it is afterwards, or {"error": "..."}; {} where the policy leaves the request alone.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	policiesv1 "github.com/kyverno/api/api/policies.kyverno.io/v1"
	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	"github.com/kyverno/kyverno/pkg/cel/policies/mpol"
	"github.com/kyverno/kyverno/pkg/cel/policies/mpol/compiler"
	"github.com/kyverno/kyverno/pkg/cel/policies/mpol/engine"
	engineapi "github.com/kyverno/kyverno/pkg/engine/api"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/klog/v2"
)

type question struct {
	Policy    json.RawMessage                `json:"policy"`
	Namespace corev1.Namespace               `json:"namespace"`
	Requests  []admissionv1.AdmissionRequest `json:"requests"`
}

type result struct {
	Object json.RawMessage `json:"object,omitempty"`
	Error  string          `json:"error,omitempty"`
}

type answer struct {
	Results []result `json:"results,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// noTypes are those of server-side apply, which a JSON patch does not need.
type noTypes struct{}

func (noTypes) GetTypeConverter(schema.GroupVersionKind) managedfields.TypeConverter { return nil }

func main() {
	klog.SetLogger(logr.Discard())
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var asked question
		err := in.Decode(&asked)
		if errors.Is(err, io.EOF) {
			return
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

func ask(asked question) answer {
	policy, err := read(asked.Policy)
	if err != nil {
		return answer{Error: err.Error()}
	}
	if _, err := mpol.Validate(policy); err != nil {
		return answer{Error: err.Error()}
	}
	policies := []policiesv1beta1.MutatingPolicyLike{policy}
	provider, err := engine.NewProvider(compiler.NewCompiler(), policies, nil, libs.GetLibsCtx())
	if err != nil {
		return answer{Error: err.Error()}
	}
	namespaces := func(string) *corev1.Namespace { return &asked.Namespace }
	handler := engine.NewEngine(provider, namespaces, matching.NewMatcher(), noTypes{}, libs.GetLibsCtx())
	answered := answer{}
	for _, request := range asked.Requests {
		answered.Results = append(answered.Results, handle(handler, request))
	}
	return answered
}

// read takes no field that the API server would not: v1 is served, and the engine has its structure as v1beta1.
func read(text []byte) (*policiesv1beta1.MutatingPolicy, error) {
	policy := &policiesv1beta1.MutatingPolicy{}
	for _, into := range []any{&policiesv1.MutatingPolicy{}, policy} {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into); err != nil {
			return nil, err
		}
	}
	return policy, nil
}

func handle(handler engine.Engine, request admissionv1.AdmissionRequest) result {
	response, err := handler.Handle(context.Background(), celengine.RequestFromAdmission(libs.GetLibsCtx(), request), nil)
	if err != nil {
		return result{Error: err.Error()}
	}
	for _, policy := range response.Policies {
		for _, rule := range policy.Rules {
			if rule.Status() == engineapi.RuleStatusError {
				return result{Error: rule.Message()}
			}
		}
	}
	if response.PatchedResource == nil {
		return result{}
	}
	object, err := response.PatchedResource.MarshalJSON()
	if err != nil {
		return result{Error: err.Error()}
	}
	return result{Object: object}
}
