{{- /* What the controller is to do, decided in one place: its Deployment, its rights and its objects follow. */ -}}

{{- define "transship.controllerName" -}}
{{- include "transship.fullname" . }}-controller
{{- end -}}

{{- define "transship.controllerServiceAccountName" -}}
{{- .Values.controller.serviceAccount.name | default (include "transship.controllerName" .) -}}
{{- end -}}

{{- /* Registries of the policy as YAML; none when the policy is in a ConfigMap, which the render cannot see. */ -}}
{{- define "transship.registries" -}}
{{- $from := dict "service" (dict "name" "string" "via" "string") "localRegistryHosting" "bool" -}}
{{- $registry := dict "host" "string" "hostFrom" $from "pullSecrets" (list "string") "credentials" "map" "verify" "bool" -}}
{{- (include "transship.ofPolicy" (list . (dict "registries" (dict "*" $registry))) | fromYaml).registries | default dict | toYaml -}}
{{- end -}}

{{- /* What the policy itself asks for. */ -}}
{{- define "transship.askedFeatures" -}}
{{- $asked := dict "secrets" false "hosts" false -}}
{{- range include "transship.registries" . | fromYaml -}}
{{- if .credentials -}}{{- $asked = set $asked "secrets" true -}}{{- end -}}
{{- if .hostFrom -}}{{- $asked = set $asked "hosts" true -}}{{- end -}}
{{- end -}}
{{- toYaml $asked -}}
{{- end -}}

{{- /* As for --features: `certificates,hosts`. Empty when no controller is needed. */ -}}
{{- define "transship.features" -}}
{{- $asked := include "transship.askedFeatures" . | fromYaml -}}
{{- $secrets := .Values.controller.features.secrets -}}
{{- $hosts := .Values.controller.features.hosts -}}
{{- $features := list -}}
{{- if has "controller" (splitList "," (include "transship.tls.modes" .)) -}}{{- $features = append $features "certificates" -}}{{- end -}}
{{- if eq (toString $secrets) "auto" | ternary $asked.secrets $secrets -}}{{- $features = append $features "secrets" -}}{{- end -}}
{{- if and (eq (toString $hosts) "auto" | ternary $asked.hosts $hosts) (not .Values.resolvedHosts.configMap) -}}{{- $features = append $features "hosts" -}}{{- end -}}
{{- if .Values.controller.features.fallback -}}{{- $features = append $features "fallback" -}}{{- end -}}
{{- if and (include "transship.hasAdmissionPolicy" .) (not .Values.admissionPolicy.exported) -}}{{- $features = append $features "policies" -}}{{- end -}}
{{- if .Values.controller.features.verify -}}{{- $features = append $features "verify" -}}{{- end -}}
{{- join "," $features -}}
{{- end -}}

{{- /* Features of the controller that is in the cluster, before this upgrade; empty where there is none. `lookup` sees it during an upgrade only. */ -}}
{{- define "transship.featuresBefore" -}}
{{- if .Release.IsUpgrade -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "transship.controllerName" .) | default dict -}}
{{- range dig "spec" "template" "spec" "containers" list $deployment -}}
{{- range .args | default list -}}
{{- if hasPrefix "--features=" . -}}{{- trimPrefix "--features=" . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What is off on purpose: the controller does not warn when the policy asks for it. `auto` cannot see a policy in a ConfigMap, so it warns. */ -}}
{{- define "transship.disabledFeatures" -}}
{{- $disabled := list -}}
{{- if eq (toString .Values.controller.features.secrets) "false" -}}{{- $disabled = append $disabled "secrets" -}}{{- end -}}
{{- if or (eq (toString .Values.controller.features.hosts) "false") .Values.resolvedHosts.configMap -}}{{- $disabled = append $disabled "hosts" -}}{{- end -}}
{{- join "," $disabled -}}
{{- end -}}

{{- /* ConfigMap with resolved hosts, empty when nobody resolves any. With fallback, policies or verify, webhook and controller follow the same one in any case. */ -}}
{{- define "transship.hostsConfigMapName" -}}
{{- $features := splitList "," (include "transship.features" .) -}}
{{- if .Values.resolvedHosts.configMap -}}
{{- .Values.resolvedHosts.configMap -}}
{{- else if or (has "hosts" $features) (has "fallback" $features) (has "policies" $features) (has "verify" $features) -}}
{{- include "transship.fullname" . }}-hosts
{{- end -}}
{{- end -}}

{{- /*
Secrets of the release namespace that the feature verify reads, as a YAML list in `names`, without the feature secrets: that one reads all, and registries
with credentials need it. Of a policy in a ConfigMap nothing is known, so `everything` is needed.
*/ -}}
{{- define "transship.verifySecrets" -}}
{{- $names := list -}}
{{- range include "transship.registries" . | fromYaml -}}
{{- if .verify -}}{{- $names = concat $names (.pullSecrets | default list) -}}{{- end -}}
{{- end -}}
{{- dict "names" ($names | compact | uniq | sortAlpha) "everything" (not (not .Values.rewritePolicy.existingConfigMap)) | toYaml -}}
{{- end -}}

{{- define "transship.leaseName" -}}
{{- include "transship.controllerName" . -}}
{{- end -}}
