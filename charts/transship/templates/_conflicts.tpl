{{- /* Values that contradict each other, or of which one would be ignored, stop the render. */ -}}
{{- define "transship.refuseConflicts" -}}
{{- include "transship.refusePolicyConflicts" . -}}
{{- include "transship.refuseTlsConflicts" . -}}
{{- include "transship.refusePodConflicts" . -}}
{{- end -}}

{{- define "transship.refusePolicyConflicts" -}}
{{- if and .Values.rewritePolicy.inline .Values.rewritePolicy.existingConfigMap -}}
{{- fail "rewritePolicy.inline and rewritePolicy.existingConfigMap are both set: give the policy in one place." -}}
{{- end -}}
{{- if and .Values.finalState.enabled (not .Values.finalState.registries) -}}
{{- fail "finalState.enabled is true and finalState.registries is empty: no pod could be created. List the registries that images may come from." -}}
{{- end -}}
{{- if and (has "Deny" .Values.finalState.validationActions) (has "Warn" .Values.finalState.validationActions) -}}
{{- fail "finalState.validationActions has both Deny and Warn: Kubernetes takes one of them, because a refusal already says why." -}}
{{- end -}}
{{- range .Values.matchConditions -}}
{{- if has .name (list "not-a-mirror-pod" "an-image-changes" "not-of-cloudnativepg" "mode-of-the-pod-as-it-will-be") -}}
{{- fail (printf "matchConditions has an entry named %s, which is the name of a condition of the chart: choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "transship.refuseTlsConflicts" -}}
{{- if eq .Values.tls.mode "controller" -}}
{{- fail "tls.mode controller comes with the transship controller, which this version does not have yet: use certManager or secret." -}}
{{- end -}}
{{- if eq .Values.tls.mode "secret" -}}
{{- if not .Values.tls.secret.name -}}
{{- fail "tls.mode is secret and tls.secret.name is empty: name the Secret that holds the webhook's certificate and key." -}}
{{- end -}}
{{- if not .Values.tls.secret.caBundle -}}
{{- fail "tls.mode is secret and tls.secret.caBundle is empty: the API server needs the certificate of the authority that signed the webhook's." -}}
{{- end -}}
{{- else if or .Values.tls.secret.name .Values.tls.secret.caBundle -}}
{{- fail (printf "tls.secret is set but tls.mode is %s, which ignores it: set tls.mode to secret, or leave tls.secret empty." .Values.tls.mode) -}}
{{- end -}}
{{- end -}}

{{- define "transship.refusePodConflicts" -}}
{{- $drainSeconds := 10 -}}
{{- $least := add $drainSeconds .Values.timeoutSeconds -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $least) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: a pod serves on for %d s after SIGTERM and then ends requests of up to timeoutSeconds, so it needs at least %d." (int .Values.terminationGracePeriodSeconds) $drainSeconds $least) -}}
{{- end -}}
{{- if and (ne (toString .Values.podDisruptionBudget.minAvailable) "") (ne (toString .Values.podDisruptionBudget.maxUnavailable) "") -}}
{{- fail "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set: Kubernetes takes one of them." -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled and podMonitor.enabled are both true: every pod would be counted twice. Enable one." -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas." -}}
{{- end -}}
{{- if eq (int .Values.ports.https) (int .Values.ports.metrics) -}}
{{- fail "ports.https and ports.metrics are the same: each needs its own." -}}
{{- end -}}
{{- end -}}
