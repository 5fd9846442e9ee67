{{- define "transship.refuseEngineConflicts" -}}
{{- if and .Values.admissionPolicy.exported (not (include "transship.hasAdmissionPolicy" .)) -}}
{{- fail "admissionPolicy.exported is set and engine is webhook, which ignores it: set engine to admissionPolicy or both, or leave it empty." -}}
{{- end -}}
{{- if include "transship.hasAdmissionPolicy" . -}}
{{- if not (include "transship.knowsAdmissionPolicies" .) -}}
{{- fail (printf "engine is %s, which needs MutatingAdmissionPolicy v1 (Kubernetes 1.36 or newer), and Kubernetes %s does not serve it: use engine webhook, or upgrade the cluster. For helm template, name its version with --kube-version." .Values.engine .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- range .Values.matchConditions -}}
{{- if has .name (include "transship.policyConditions" $ | fromJsonArray) -}}
{{- fail (printf "matchConditions has an entry named %s, which is the name of a condition of the admission policy: choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.engine "admissionPolicy" -}}
{{- include "transship.refuseWithoutWebhook" . -}}
{{- end -}}
{{- if .Values.admissionPolicy.exported -}}
{{- include "transship.refuseExported" . -}}
{{- end -}}
{{- end -}}
{{- include "transship.refuseEngineSwitch" . -}}
{{- end -}}

{{- /* What only a webhook can do, as far as a template sees it; the controller tells all of it. */ -}}
{{- define "transship.refuseWithoutWebhook" -}}
{{- $policy := dict -}}
{{- if not .Values.rewritePolicy.existingConfigMap -}}{{- $policy = include "transship.policyText" . | fromYaml -}}{{- end -}}
{{- range $index, $rule := $policy.rules -}}
{{- if eq (toString ($rule.rewrite | default dict).as) "template" -}}
{{- fail (printf "rule %s of the policy has as: template, which no admission policy can say, and engine is admissionPolicy: use engine both, and the webhook decides it." ($rule.name | default (add $index 1 | toString))) -}}
{{- end -}}
{{- end -}}
{{- if eq (toString $policy.warnings) "rewrites" -}}
{{- fail "the policy has warnings: rewrites, and engine is admissionPolicy, which cannot warn: leave it out, or use engine both." -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not (include "transship.features" .)) -}}
{{- fail "serviceMonitor.enabled or podMonitor.enabled is true, and the release has no pod with metrics: leave both false. The API server counts the evaluations of the admission policy." -}}
{{- end -}}
{{- end -}}

{{- /* An export for other values than these would rewrite other pods than the release says, or none. */ -}}
{{- define "transship.refuseExported" -}}
{{- $name := include "transship.admissionPolicyName" . -}}
{{- $again := printf "Write it with: %s" (include "transship.exportCommand" .) -}}
{{- $objects := include "transship.exportedObjects" . | fromYamlArray -}}
{{- $policy := include "transship.exportedPolicy" . | fromYaml -}}
{{- if or (not $policy.spec) (ne (len $objects) 3) (ne (get $policy "apiVersion") "admissionregistration.k8s.io/v1") -}}
{{- fail (printf "admissionPolicy.exported is not the output of transship export admission-policy, which is a MutatingAdmissionPolicy and its two bindings. To read a file, use --set-file admissionPolicy.exported=FILE. %s" $again) -}}
{{- end -}}
{{- if ne $policy.metadata.name $name -}}
{{- fail (printf "admissionPolicy.exported has the name %s, and that of this release is %s. %s" $policy.metadata.name $name $again) -}}
{{- end -}}
{{- if ne $policy.spec.failurePolicy .Values.failurePolicy -}}
{{- fail (printf "admissionPolicy.exported has failurePolicy %s, and the value failurePolicy is %s. %s" $policy.spec.failurePolicy .Values.failurePolicy $again) -}}
{{- end -}}
{{- $guard := (first $policy.spec.matchConstraints.namespaceSelector.matchExpressions).values -}}
{{- if ne (toJson $guard) (include "transship.guardedNamespaces" .) -}}
{{- fail (printf "admissionPolicy.exported leaves out the namespaces %s, and this release leaves out %s. %s" (join ", " $guard) (include "transship.guardedNamespaces" . | fromJsonArray | join ", ") $again) -}}
{{- end -}}
{{- $match := include "transship.bindingsMatch" . | fromYaml -}}
{{- range $objects -}}
{{- if and (eq .kind "MutatingAdmissionPolicyBinding") (ne (toJson .spec.matchResources) (get $match (trimPrefix (printf "%s-" $name) .metadata.name) | toJson)) -}}
{{- fail (printf "admissionPolicy.exported was written for other values of optIn: its MutatingAdmissionPolicyBinding %s selects other pods than this release. %s" .metadata.name $again) -}}
{{- end -}}
{{- end -}}
{{- range $condition := .Values.matchConditions -}}
{{- $found := false -}}
{{- range $policy.spec.matchConditions -}}{{- if and (eq .name $condition.name) (eq (trim .expression) (trim $condition.expression)) -}}{{- $found = true -}}{{- end -}}{{- end -}}
{{- if not $found -}}
{{- fail (printf "admissionPolicy.exported lacks the condition %s of matchConditions. %s" $condition.name $again) -}}
{{- end -}}
{{- end -}}
{{- $own := include "transship.policyConditions" . | fromJsonArray -}}
{{- range .Values.matchConditions -}}{{- $own = append $own .name -}}{{- end -}}
{{- range $policy.spec.matchConditions -}}
{{- if not (has .name $own) -}}
{{- fail (printf "admissionPolicy.exported has the condition %s, which matchConditions lacks: pods would be left alone that the values do not name. Add it, or export again. %s" .name $again) -}}
{{- end -}}
{{- end -}}
{{- include "transship.refusePart" . -}}
{{- include "transship.refuseExportedRevision" . -}}
{{- include "transship.refuseExportedHosts" . -}}
{{- end -}}

{{- /* Images of the rules that it leaves to a webhook would stay as written. The sentence is of src/export/admission-policy/admission-policy.ts. */ -}}
{{- define "transship.refusePart" -}}
{{- if and (not (include "transship.hasWebhook" .)) (contains "# It is a part of the policy." .Values.admissionPolicy.exported) -}}
{{- fail "admissionPolicy.exported was written with --partial, and engine is admissionPolicy: no webhook decides the rest of the policy. Use engine both, or change the policy so that all of it can be exported." -}}
{{- end -}}
{{- end -}}

{{- /* Copies, self-test and doctor go by the policy itself: it must be there, and the one that was exported. */ -}}
{{- define "transship.refuseExportedRevision" -}}
{{- if not (or .Values.rewritePolicy.inline .Values.rewritePolicy.existingConfigMap) -}}
{{- fail "admissionPolicy.exported is set without the policy that it was exported from, which copies of pull secrets, helm test and doctor go by: give it with --set-file rewritePolicy.inline=FILE, or in rewritePolicy.existingConfigMap." -}}
{{- end -}}
{{- $text := include "transship.policyText" . -}}
{{- $source := "" -}}
{{- if not (kindIs "string" .Values.rewritePolicy.inline) }}{{- $source = ", where FILE is the text that the ConfigMap of the policy has" -}}{{- end -}}
{{- with .Values.rewritePolicy.existingConfigMap -}}
{{- $map := lookup "v1" "ConfigMap" $.Release.Namespace . | default dict -}}
{{- $text = get ($map.data | default dict) $.Values.rewritePolicy.key -}}
{{- end -}}
{{- $exported := include "transship.exportedRevision" . -}}
{{- if and $text (ne $exported (include "transship.policyRevision" $text)) -}}
{{- fail (printf "admissionPolicy.exported is of revision %s of the policy, and the policy of this release has revision %s: export it again. Write it with: %s%s" ($exported | default "unknown") (include "transship.policyRevision" $text) (include "transship.exportCommand" .) $source) -}}
{{- end -}}
{{- end -}}

{{- /* An exported policy has the hosts of the export, wherever nodes are to pull from later. */ -}}
{{- define "transship.refuseExportedHosts" -}}
{{- $remedy := "an exported policy does not follow resolved hosts. Leave it empty, and the controller keeps the policy object." -}}
{{- if (include "transship.askedFeatures" . | fromYaml).hosts -}}
{{- fail (printf "a registry of the policy has hostFrom and admissionPolicy.exported is set: %s" $remedy) -}}
{{- end -}}
{{- if eq (toString .Values.controller.features.hosts) "true" -}}
{{- fail (printf "controller.features.hosts is true and admissionPolicy.exported is set: %s" $remedy) -}}
{{- end -}}
{{- if .Values.resolvedHosts.configMap -}}
{{- fail (printf "resolvedHosts.configMap and admissionPolicy.exported are both set: %s" $remedy) -}}
{{- end -}}
{{- if and .Values.controller.features.fallback .Values.controller.fallback.breaker.enabled (not .Values.controller.fallback.dryRun) -}}
{{- fail "controller.features.fallback is true and admissionPolicy.exported is set: an exported policy does not follow which registries are unavailable. Set controller.fallback.breaker.enabled to false, or leave admissionPolicy.exported empty, and the controller keeps the policy object." -}}
{{- end -}}
{{- end -}}

{{- /* While one engine goes before the other one acts, pods are created as written. `lookup` sees the cluster during an upgrade only. */ -}}
{{- define "transship.refuseEngineSwitch" -}}
{{- $name := include "transship.admissionPolicyName" . -}}
{{- $api := "admissionregistration.k8s.io/v1" -}}
{{- if and .Release.IsUpgrade (include "transship.knowsAdmissionPolicies" .) -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "transship.fullname" .) -}}
{{- if and $deployment (eq .Values.engine "admissionPolicy") (not (lookup $api "MutatingAdmissionPolicy" "" $name)) -}}
{{- fail (printf "engine is to change from webhook to admissionPolicy, and the MutatingAdmissionPolicy %s does not exist yet: pods that are created meanwhile would stay as written. Upgrade with engine both first, and wait until the controller has written it." $name) -}}
{{- end -}}
{{- $ready := get (get ($deployment | default dict) "status" | default dict) "readyReplicas" -}}
{{- if and (eq .Values.engine "webhook") (not $ready) (lookup $api "MutatingAdmissionPolicyBinding" "" (printf "%s-namespaces" $name)) -}}
{{- fail (printf "engine is to become webhook, and no replica of the webhook is ready, while the MutatingAdmissionPolicy %s is in force: pods that are created meanwhile would stay as written. Upgrade with engine both first, and wait until the webhook is ready." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
