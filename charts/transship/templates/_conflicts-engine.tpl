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
{{- $rule := dict "name" "string" "rewrite" (dict "as" "string") -}}
{{- $policy := include "transship.ofPolicy" (list . (dict "rules" (list $rule) "warnings" "string")) | fromYaml -}}
{{- range $index, $rule := $policy.rules -}}
{{- if eq (toString ($rule.rewrite | default dict).as) "template" -}}
{{- fail (printf "rule %s of the policy has as: template, which no admission policy can express, and engine is admissionPolicy: use engine both, and the webhook decides it." ($rule.name | default (add $index 1 | toString))) -}}
{{- end -}}
{{- end -}}
{{- if eq (toString $policy.warnings) "rewrites" -}}
{{- fail "the policy has warnings: rewrites, and engine is admissionPolicy, which cannot warn: leave it out, or use engine both." -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not (include "transship.features" .)) -}}
{{- fail "serviceMonitor.enabled or podMonitor.enabled is true, and the release has no pod with metrics: leave both false. The API server counts the evaluations of the admission policy." -}}
{{- end -}}
{{- end -}}

{{- /* While one engine goes before the other one acts, pods are created as written. `lookup` sees the cluster during an upgrade only. */ -}}
{{- define "transship.refuseEngineSwitch" -}}
{{- $name := include "transship.admissionPolicyName" . -}}
{{- $api := "admissionregistration.k8s.io/v1" -}}
{{- if and .Release.IsUpgrade (include "transship.knowsAdmissionPolicies" .) -}}
{{- $deployment := lookup "apps/v1" "Deployment" .Release.Namespace (include "transship.fullname" .) -}}
{{- if and $deployment (eq .Values.engine "admissionPolicy") -}}
{{- $policy := lookup $api "MutatingAdmissionPolicy" "" $name -}}
{{- if not $policy -}}
{{- fail (printf "engine is to change from webhook to admissionPolicy, and the MutatingAdmissionPolicy %s does not exist yet: pods that are created meanwhile would stay as written. Upgrade with engine both first%s." $name (empty .Values.admissionPolicy.exported | ternary ", and wait until the controller has written it" ", which installs it")) -}}
{{- end -}}
{{- $age := sub (now | unixEpoch) (toDate "2006-01-02T15:04:05Z07:00" $policy.metadata.creationTimestamp | unixEpoch) -}}
{{- /* API servers look for changed policies once a second, and compile them. A negative age is one of two clocks that differ. */ -}}
{{- if and (ge $age 0) (lt $age 10) -}}
{{- fail (printf "the MutatingAdmissionPolicy %s was created %d seconds ago, and not every API server may have it in force: pods that are created meanwhile would stay as written without the webhook. Upgrade again in 10 seconds." $name $age) -}}
{{- end -}}
{{- end -}}
{{- $ready := get (get ($deployment | default dict) "status" | default dict) "readyReplicas" -}}
{{- if and (eq .Values.engine "webhook") (not $ready) (lookup $api "MutatingAdmissionPolicyBinding" "" (printf "%s-namespaces" $name)) -}}
{{- fail (printf "engine is to become webhook, and no replica of the webhook is ready, while the MutatingAdmissionPolicy %s is in force: pods that are created meanwhile would stay as written. Upgrade with engine both first, and wait until the webhook is ready." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
