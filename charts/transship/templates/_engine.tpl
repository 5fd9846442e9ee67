{{- /* What evaluates the policy, decided in one place: true, or empty. */ -}}

{{- define "transship.hasWebhook" -}}
{{- if ne .Values.engine "admissionPolicy" }}true{{ end -}}
{{- end -}}

{{- define "transship.hasAdmissionPolicy" -}}
{{- if ne .Values.engine "webhook" }}true{{ end -}}
{{- end -}}

{{- /*
MutatingAdmissionPolicy is admissionregistration.k8s.io/v1 from 1.36 on. A cluster of that version may still not serve it, as with an emulated version. Without
a cluster the versions are those that Helm was built with, and no cluster's: these lack the API of the aggregator.
*/ -}}
{{- define "transship.knowsAdmissionPolicies" -}}
{{- $isOfCluster := .Capabilities.APIVersions.Has "apiregistration.k8s.io/v1" -}}
{{- $isServed := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
{{- if and (semverCompare ">=1.36-0" .Capabilities.KubeVersion.Version) (or $isServed (not $isOfCluster)) }}true{{ end -}}
{{- end -}}

{{- /* Names of the conditions that an admission policy has beside matchConditions, `ownConditions` of src/export/admission-policy/scope.ts. */ -}}
{{- define "transship.policyConditions" -}}
{{- list "not-a-mirror-pod" "not-opted-out" "an-image-changes" "not-of-transship" "no-image-manager" "an-image-is-concerned" "opted-in" | toJson -}}
{{- end -}}

{{- define "transship.admissionPolicyName" -}}
{{- include "transship.fullname" . -}}
{{- end -}}

{{- /* Queries for admission policies of transship: `list $ text`. A name that does not say transship is named. */ -}}
{{- define "transship.withPolicyName" -}}
{{- $name := include "transship.admissionPolicyName" (first .) -}}
{{- $any := ".*transship.*" -}}
{{- last . | replace $any (contains "transship" $name | ternary $any (printf "%s|%s" $any $name)) -}}
{{- end -}}

{{- /*
matchResources of the two bindings, as `transship export admission-policy` writes them: of each pod one at most is true.
*/ -}}
{{- define "transship.bindingsMatch" -}}
namespaces:
  matchPolicy: Equivalent
  namespaceSelector:
    matchExpressions:
      {{- include "transship.enforcedNamespaces" . | nindent 6 }}
  objectSelector:
    matchExpressions:
      - key: transship.dev/rewrite
        operator: NotIn
        values: {{ include "transship.podValues" . }}
pods:
  matchPolicy: Equivalent
  objectSelector:
    matchExpressions:
      - key: transship.dev/rewrite
        operator: In
        values: [{{ .Values.optIn.value | quote }}]
{{- end -}}

{{- /* The MutatingAdmissionPolicy of `admissionPolicy.exported`, with the labels of the release. */ -}}
{{- define "transship.exportedPolicy" -}}
{{- $policy := dict -}}
{{- range include "transship.exportedObjects" . | fromYamlArray -}}
{{- if eq .kind "MutatingAdmissionPolicy" -}}{{- $policy = . -}}{{- end -}}
{{- end -}}
{{- $policy | toYaml -}}
{{- end -}}

{{- /* Documents that are objects with a kind, metadata and a spec, as a YAML list. */ -}}
{{- define "transship.exportedObjects" -}}
{{- $objects := list -}}
{{- range regexSplit "(?m)^---\\r?$" (trimPrefix "\ufeff" .Values.admissionPolicy.exported) -1 -}}
{{- $object := fromYaml . -}}
{{- if and (kindIs "string" $object.kind) (kindIs "map" $object.metadata) (kindIs "map" $object.spec) -}}{{- $objects = append $objects $object -}}{{- end -}}
{{- end -}}
{{- toYaml $objects -}}
{{- end -}}

{{- /* The command that exports a policy for these values. */ -}}
{{- define "transship.exportCommand" -}}
{{- $excluded := prepend .Values.excludeNamespaces .Release.Namespace | uniq -}}
{{- $words := list "transship export admission-policy --policy FILE" (printf "--policy-name %s" (include "transship.admissionPolicyName" .)) -}}
{{- $words = append $words (printf "--exclude-namespaces %s" (join "," $excluded)) -}}
{{- if ne .Values.optIn.mode "OptIn" -}}{{- $words = append $words (printf "--opt-in %s" .Values.optIn.mode) -}}{{- end -}}
{{- if ne .Values.optIn.value "enabled" -}}{{- $words = append $words (printf "--opt-in-value %s" .Values.optIn.value) -}}{{- end -}}
{{- if ne .Values.optIn.shadowValue "shadow" -}}{{- $words = append $words (printf "--shadow-value %s" .Values.optIn.shadowValue) -}}{{- end -}}
{{- with .Values.optIn.otherValues -}}{{- $words = append $words (printf "--other-values %s" (join "," .)) -}}{{- end -}}
{{- if ne .Values.failurePolicy "Ignore" -}}{{- $words = append $words (printf "--failure-policy %s" .Values.failurePolicy) -}}{{- end -}}
{{- range .Values.matchConditions -}}{{- $words = append $words (printf "--match-condition '%s=%s'" .name (replace "'" `'\''` .expression)) -}}{{- end -}}
{{- if include "transship.hasWebhook" . -}}{{- $words = append $words "--partial" -}}{{- end -}}
{{- join " " $words -}}
{{- end -}}

{{- /* Of the policy that was exported. */ -}}
{{- define "transship.exportedRevision" -}}
{{- regexFind "Revision of the policy: [0-9a-z]+" .Values.admissionPolicy.exported | trimPrefix "Revision of the policy: " -}}
{{- end -}}

{{- /* As src/config/revision.ts makes it of a policy without resolved hosts, whose byte-order mark is no part of the text. */ -}}
{{- define "transship.policyRevision" -}}
{{- printf "%s\x00" (trimPrefix "\ufeff" .) | sha256sum | trunc 12 -}}
{{- end -}}
