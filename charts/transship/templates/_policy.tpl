{{- /* The policy file as text. A text is passed on byte for byte: its comments and line numbers are what error messages speak of. */ -}}
{{- define "transship.policyText" -}}
{{- if kindIs "string" .Values.rewritePolicy.inline -}}
{{- .Values.rewritePolicy.inline -}}
{{- else -}}
{{- $head := dict "apiVersion" "transship.dev/v1" "kind" "RewritePolicy" -}}
{{- merge (deepCopy (.Values.rewritePolicy.inline | default dict)) $head | toYaml -}}
{{- end -}}
{{- end -}}

{{- /* A JSON list of {image, becomes} for helm test: the given ones, else the policy's own tests that hold for any pod of any namespace. */ -}}
{{- define "transship.selfTestImages" -}}
{{- $images := .Values.selfTest.images -}}
{{- if and (not $images) (not .Values.rewritePolicy.existingConfigMap) -}}
{{- $policy := include "transship.policyText" . | fromYaml -}}
{{- range $policy.tests | default list -}}
{{- if and .image .becomes (not (omit . "image" "becomes" "rule" "outcome")) -}}
{{- $images = append $images (pick . "image" "becomes") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $images | toJson -}}
{{- end -}}
