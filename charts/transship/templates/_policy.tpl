{{- /*
The policy file as text. A text is passed on byte for byte, without a byte-order mark: its comments and line numbers are what error messages speak of.
*/ -}}
{{- define "transship.policyText" -}}
{{- if kindIs "string" .Values.rewritePolicy.inline -}}
{{- trimPrefix "\ufeff" .Values.rewritePolicy.inline -}}
{{- else -}}
{{- $head := dict "apiVersion" "transship.dev/v1" "kind" "RewritePolicy" -}}
{{- $policy := merge (deepCopy (.Values.rewritePolicy.inline | default dict)) $head -}}
{{- $registries := $policy.registries | default dict -}}
{{- if and .Values.localRegistry.enabled (not (hasKey $registries "local")) -}}
{{- $local := dict "local" (include "transship.localRegistryEntry" . | fromYaml) -}}
{{- $policy = set $policy "registries" (merge $local $registries) -}}
{{- end -}}
{{- toYaml $policy -}}
{{- end -}}
{{- end -}}

{{- /* What of the policy has a shape: `list $ shape`, as YAML. Nothing when the policy is in a ConfigMap, which the render cannot see. */ -}}
{{- define "transship.ofPolicy" -}}
{{- $root := first . -}}
{{- $policy := dict -}}
{{- if not $root.Values.rewritePolicy.existingConfigMap -}}{{- $policy = include "transship.policyText" $root | fromYaml -}}{{- end -}}
{{- (include "transship.ofShape" (list (last .) $policy) | fromJson).value | toYaml -}}
{{- end -}}

{{- /* What a policy has to say to use the local registry. */ -}}
{{- define "transship.localRegistryEntry" -}}
hostFrom:
  service: { namespace: {{ .Release.Namespace | quote }}, name: {{ include "transship.fullname" . }}-registry, port: registry, via: localhost }
{{- with .Values.localRegistry.nodePort }}
host: localhost:{{ . }}
{{- end }}
{{- with .Values.localRegistry.auth.pullSecret }}
pullSecrets: [{{ . | quote }}]
credentials: { secret: {{ . | quote }} }
{{- end }}
{{- end -}}

{{- /* A JSON list of {image, becomes} for helm test: the given ones, else the policy's own tests that hold for any pod of any namespace. */ -}}
{{- define "transship.selfTestImages" -}}
{{- $images := .Values.selfTest.images -}}
{{- if not $images -}}
{{- range (include "transship.ofPolicy" (list . (dict "tests" (list "map"))) | fromYaml).tests -}}
{{- if and (kindIs "string" .image) (kindIs "string" .becomes) .image .becomes (not (omit . "image" "becomes" "rule" "outcome")) -}}
{{- $images = append $images (pick . "image" "becomes") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $images | toJson -}}
{{- end -}}

{{- /* A JSON map of the registries that have a host, for helm test. None when the policy is in a ConfigMap, which the render cannot see. */ -}}
{{- define "transship.selfTestHosts" -}}
{{- $hosts := dict -}}
{{- range $name, $registry := include "transship.registries" . | fromYaml -}}
{{- if $registry.host -}}{{- $hosts = set $hosts $name $registry.host -}}{{- end -}}
{{- end -}}
{{- $hosts | toJson -}}
{{- end -}}
