{{- /* A policy that cannot be one stops the render. An object is checked by values.schema.json; of a text, what a template can see. */ -}}
{{- define "transship.refusePolicyText" -}}
{{- if kindIs "string" .Values.rewritePolicy.inline -}}
{{- if not (trim .Values.rewritePolicy.inline) -}}
{{- fail "rewritePolicy.inline is an empty text: no pod of the release could start with it. Is the file of --set-file empty? With existingConfigMap, leave inline out." -}}
{{- end -}}
{{- $policy := include "transship.policyText" . | fromYaml -}}
{{- if hasKey $policy "Error" -}}
{{- fail (printf "rewritePolicy.inline is a text that is not a policy: %s. To read a file, use --set-file rewritePolicy.inline=FILE." $policy.Error) -}}
{{- end -}}
{{- if ne (get $policy "apiVersion") "transship.dev/v1" -}}
{{- fail "rewritePolicy.inline is a text without apiVersion: transship.dev/v1. Only an object may leave it out." -}}
{{- end -}}
{{- if ne (get $policy "kind") "RewritePolicy" -}}
{{- fail "rewritePolicy.inline is a text without kind: RewritePolicy. Only an object may leave it out." -}}
{{- end -}}
{{- /* The keys of a policy; a test compares them with its JSON Schema. */ -}}
{{- $kinds := dict "registries" "map" "exclude" "map" "rules" "slice" "placeholders" "slice" "imageManagers" "slice" "warnings" "string" "tests" "slice" -}}
{{- range $key, $_ := omit $policy "apiVersion" "kind" -}}
{{- if not (hasKey $kinds $key) -}}
{{- fail (printf "rewritePolicy.inline has the unknown key %s; a policy has %s." $key (keys $kinds | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- range $key, $kind := $kinds -}}
{{- $value := get $policy $key -}}
{{- if and (hasKey $policy $key) (not (kindIs "invalid" $value)) (not (kindIs $kind $value)) -}}
{{- fail (printf "%s of rewritePolicy.inline must be a %s." $key (get (dict "map" "map" "slice" "list" "string" "text") $kind)) -}}
{{- end -}}
{{- end -}}
{{- range $index, $rule := $policy.rules -}}
{{- if not (kindIs "map" $rule) -}}
{{- fail (printf "rule %d of rewritePolicy.inline must be a map with name, match and rewrite." (add $index 1)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "transship.refuseUnseenFeatures" . -}}
{{- end -}}

{{- /* `auto` looks into the policy. Of a ConfigMap it sees nothing, so what that asks for would silently not be done. */ -}}
{{- define "transship.refuseUnseenFeatures" -}}
{{- if .Values.rewritePolicy.existingConfigMap -}}
{{- $map := lookup "v1" "ConfigMap" .Release.Namespace .Values.rewritePolicy.existingConfigMap -}}
{{- if $map -}}
{{- $policy := get ($map.data | default dict) .Values.rewritePolicy.key | default "" | fromYaml -}}
{{- range $name, $registry := kindIs "map" $policy.registries | ternary $policy.registries dict -}}
{{- if and (kindIs "map" $registry) (get $registry "credentials") (eq (toString $.Values.controller.features.secrets) "auto") -}}
{{- fail (printf "registry %s in ConfigMap %s has credentials, and controller.features.secrets is auto, which does not look into a ConfigMap: its pull secrets would not be copied. Set it to true, or to false when you bring the Secrets yourself." $name $.Values.rewritePolicy.existingConfigMap) -}}
{{- end -}}
{{- if and (kindIs "map" $registry) (get $registry "hostFrom") (eq (toString $.Values.controller.features.hosts) "auto") (not $.Values.resolvedHosts.configMap) -}}
{{- fail (printf "registry %s in ConfigMap %s has hostFrom, and controller.features.hosts is auto, which does not look into a ConfigMap: its host would not be resolved. Set it to true, or to false when its host is enough." $name $.Values.rewritePolicy.existingConfigMap) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
