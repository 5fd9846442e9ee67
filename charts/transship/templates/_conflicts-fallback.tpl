{{- define "transship.refuseFallbackConflicts" -}}
{{- if and .Values.controller.fallback.dryRun (not .Values.controller.features.fallback) -}}
{{- fail "controller.fallback.dryRun is true and controller.features.fallback is false: enable the feature, or leave dryRun out." -}}
{{- end -}}
{{- if and .Values.controller.features.fallback .Values.validatingPolicy.enabled (has "Deny" .Values.validatingPolicy.validationActions) -}}
{{- include "transship.refuseDeniedAlternatives" . -}}
{{- end -}}
{{- include "transship.refuseLeftBreakers" . -}}
{{- end -}}

{{- /* The features hosts and fallback take back what breakers wrote; the others only read it, also where an earlier installation left it. */ -}}
{{- define "transship.refuseLeftBreakers" -}}
{{- $features := splitList "," (include "transship.features" .) -}}
{{- $name := include "transship.hostsConfigMapName" . -}}
{{- if and $name (not .Values.resolvedHosts.configMap) (not (has "hosts" $features)) (not (has "fallback" $features)) -}}
{{- $map := lookup "v1" "ConfigMap" .Release.Namespace $name | default dict -}}
{{- $breakers := get (get $map "data" | default dict) "breakers.yaml" | default "" -}}
{{- if $breakers -}}
{{- $found := printf "ConfigMap %s says that registries are unavailable (%s): nothing would take that back, and new pods would go on to begin with the alternatives." $name (keys (fromYaml $breakers) | sortAlpha | join ", ") -}}
{{- if .Release.IsUpgrade -}}
{{- fail (printf "controller.features.fallback is to be disabled, and %s Upgrade with controller.features.fallback true and controller.fallback.breaker.enabled false first." $found) -}}
{{- end -}}
{{- fail (printf "controller.features.fallback is false, and an earlier installation was removed while registries did not answer: %s Delete it: kubectl --namespace %s delete configmap %s" $found .Release.Namespace $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A step that the validating policy denies would be tried for ever. Of a policy in a ConfigMap, and of expressions, nothing is known here. */ -}}
{{- define "transship.refuseDeniedAlternatives" -}}
{{- $registries := include "transship.registries" . | fromYaml -}}
{{- $alternative := dict "as" "string" "image" "string" "registry" "string" "prefix" "string" -}}
{{- $rule := dict "name" "string" "match" (dict "images" (list "string")) "alternatives" (list $alternative) -}}
{{- range $index, $rule := (include "transship.ofPolicy" (list . (dict "rules" (list $rule))) | fromYaml).rules -}}
{{- range $alternative := $rule.alternatives -}}
{{- $places := list -}}
{{- if eq (toString $alternative.as) "original" -}}
{{- $places = ($rule.match | default dict).images | default list -}}
{{- else if $alternative.image -}}
{{- $places = append $places $alternative.image -}}
{{- else if $alternative.registry -}}
{{- with (get $registries $alternative.registry | default dict).host -}}
{{- $places = append $places (empty $alternative.prefix | ternary . (printf "%s/%s" . $alternative.prefix)) -}}
{{- end -}}
{{- end -}}
{{- range $place := $places -}}
{{- $isAllowed := false -}}
{{- range $allowed := $.Values.validatingPolicy.registries -}}
{{- $parts := splitn "/" 2 $allowed -}}
{{- $prefix := lower $parts._0 -}}
{{- $prefix = eq $prefix "index.docker.io" | ternary "docker.io" $prefix -}}
{{- if $parts._1 -}}{{- $prefix = printf "%s/%s" $prefix $parts._1 -}}{{- end -}}
{{- if or (eq $place $prefix) (hasPrefix (printf "%s/" $prefix) $place) -}}{{- $isAllowed = true -}}{{- end -}}
{{- end -}}
{{- if not $isAllowed -}}
{{- fail (printf "rule %s has an alternative at %s, which validatingPolicy.registries (%s) does not allow: pods could not be moved there. Add it, or remove the alternative." ($rule.name | default (printf "rule-%d" (add $index 1))) $place (join ", " $.Values.validatingPolicy.registries)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
