{{- /*
Where hosts come from, as YAML: `services` (their names), `nodes`, `hosting`. Of a policy in a ConfigMap nothing is known, so `everything` is needed.
*/ -}}
{{- define "transship.hostSources" -}}
{{- $services := list -}}
{{- $sources := dict "everything" false "nodes" false "hosting" false -}}
{{- if has "hosts" (splitList "," (include "transship.features" .)) -}}
{{- if .Values.rewritePolicy.existingConfigMap -}}
{{- $sources = dict "everything" true "nodes" true "hosting" true -}}
{{- end -}}
{{- range include "transship.registries" . | fromYaml -}}
{{- with .hostFrom -}}
{{- with (.service | default dict).name -}}{{- $services = append $services . -}}{{- end -}}
{{- if eq (toString (.service | default dict).via) "nodeIP" -}}{{- $sources = set $sources "nodes" true -}}{{- end -}}
{{- if .localRegistryHosting -}}{{- $sources = set $sources "hosting" true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- set $sources "services" ($services | uniq | sortAlpha) | toYaml -}}
{{- end -}}
