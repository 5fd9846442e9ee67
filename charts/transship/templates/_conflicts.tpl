{{- /* Values that contradict each other, or of which one would be ignored, stop the render. */ -}}
{{- define "transship.refuseConflicts" -}}
{{- include "transship.refuseNamespace" . -}}
{{- include "transship.refusePolicyConflicts" . -}}
{{- include "transship.refusePolicyText" . -}}
{{- include "transship.refuseEngineConflicts" . -}}
{{- include "transship.refuseMatchImages" . -}}
{{- include "transship.refuseOptInConflicts" . -}}
{{- if include "transship.hasWebhook" . -}}{{- include "transship.refuseTlsConflicts" . -}}{{- end -}}
{{- include "transship.refuseControllerConflicts" . -}}
{{- include "transship.refuseLocalRegistryConflicts" . -}}
{{- if include "transship.hasWebhook" . -}}{{- include "transship.refusePodConflicts" . -}}{{- end -}}
{{- end -}}

{{- define "transship.refusePolicyConflicts" -}}
{{- if and .Values.rewritePolicy.inline .Values.rewritePolicy.existingConfigMap -}}
{{- fail "rewritePolicy.inline and rewritePolicy.existingConfigMap are both set: give the policy in one place." -}}
{{- end -}}
{{- if and .Values.validatingPolicy.enabled (not .Values.validatingPolicy.registries) -}}
{{- fail "validatingPolicy.enabled is true and validatingPolicy.registries is empty: no pod could be created. List the registries that images may come from." -}}
{{- end -}}
{{- if and (has "Deny" .Values.validatingPolicy.validationActions) (has "Warn" .Values.validatingPolicy.validationActions) -}}
{{- fail "validatingPolicy.validationActions has both Deny and Warn: Kubernetes takes one of them, because a refusal already says why." -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.matchConditions -}}
{{- if has .name $names -}}
{{- fail (printf "matchConditions has two entries named %s: give each its own name." .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- if has .name (list "not-a-mirror-pod" "an-image-changes" "not-of-transship" "not-by-fallback" "an-image-is-concerned" "pod-label-matches-mode") -}}
{{- fail (printf "matchConditions has an entry named %s, which is the name of a condition of the chart: choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "transship.refuseTlsConflicts" -}}
{{- $modes := splitList "," (include "transship.tls.modes" .) -}}
{{- if eq .Values.tls.mode .Values.tls.previousMode -}}
{{- fail (printf "tls.previousMode is %s, as tls.mode: it is the previous mode. Leave it empty when the mode does not change." .Values.tls.mode) -}}
{{- end -}}
{{- if and .Values.tls.previousMode (eq .Values.failurePolicy "Fail") -}}
{{- fail "tls.previousMode is set and failurePolicy is Fail: while the mode changes, one of two webhook configurations may call a pod with the other one's certificate, and its rejection would apply. Set failurePolicy to Ignore until tls.previousMode is empty again." -}}
{{- end -}}
{{- if and .Values.tls.previousMode .Values.service.clusterIP -}}
{{- fail "tls.previousMode and service.clusterIP are both set: the two modes have a Service each, which cannot have the same address. Empty service.clusterIP." -}}
{{- end -}}
{{- if has "secret" $modes -}}
{{- if not .Values.tls.secret.name -}}
{{- fail "tls.mode is secret and tls.secret.name is empty: name the Secret that holds the webhook's certificate and key." -}}
{{- end -}}
{{- if not .Values.tls.secret.caBundle -}}
{{- fail "tls.mode is secret and tls.secret.caBundle is empty: the API server needs the certificate of the CA that signed the webhook's." -}}
{{- end -}}
{{- else if or .Values.tls.secret.name .Values.tls.secret.caBundle -}}
{{- fail (printf "tls.secret is set but tls.mode is %s, which ignores it: set tls.mode to secret, or leave tls.secret empty." .Values.tls.mode) -}}
{{- end -}}
{{- end -}}

{{- define "transship.refusePodConflicts" -}}
{{- $drainSeconds := 10 -}}
{{- $least := add $drainSeconds .Values.timeoutSeconds -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $least) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d: a pod keeps serving for %d s after SIGTERM and then ends requests of up to timeoutSeconds, so it needs at least %d." (int .Values.terminationGracePeriodSeconds) $drainSeconds $least) -}}
{{- end -}}
{{- if and (ne (toString .Values.podDisruptionBudget.minAvailable) "") (ne (toString .Values.podDisruptionBudget.maxUnavailable) "") -}}
{{- fail "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set: Kubernetes takes one of them." -}}
{{- end -}}
{{- include "transship.refuseBlockedDrains" . -}}
{{- include "transship.refuseHostNetwork" . -}}
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

{{- define "transship.refuseControllerConflicts" -}}
{{- $asked := include "transship.askedFeatures" . | fromYaml -}}
{{- if and $asked.secrets (eq (toString .Values.controller.features.secrets) "false") -}}
{{- fail "a registry of the policy has credentials and controller.features.secrets is false: its pull secrets would not be copied. Leave it at auto, or remove the credentials." -}}
{{- end -}}
{{- if and $asked.hosts (eq (toString .Values.controller.features.hosts) "false") (not .Values.resolvedHosts.configMap) -}}
{{- fail "a registry of the policy has hostFrom and controller.features.hosts is false: its host would not be resolved. Leave it at auto, or name the ConfigMap with its host in resolvedHosts.configMap." -}}
{{- end -}}
{{- if and (eq (toString .Values.controller.features.hosts) "true") .Values.resolvedHosts.configMap -}}
{{- fail "controller.features.hosts is true and resolvedHosts.configMap is set: hosts can come from one of them only." -}}
{{- end -}}
{{- include "transship.refuseFallbackConflicts" . -}}
{{- if and (not .Values.controller.serviceAccount.create) (not .Values.controller.serviceAccount.name) -}}
{{- fail "controller.serviceAccount.create is false and controller.serviceAccount.name is empty: the permissions of the controller must not be granted to the namespace's default account. Name one." -}}
{{- end -}}
{{- include "transship.refuseSharedAccount" . -}}
{{- end -}}

{{- /* Pods of the webhook have no rights, and pods that name no account have that of the namespace. */ -}}
{{- define "transship.refuseSharedAccount" -}}
{{- $name := include "transship.controllerServiceAccountName" . -}}
{{- if eq $name "default" -}}
{{- fail "controller.serviceAccount.name is default: the permissions of the controller must not be granted to the namespace's default account. Use another name." -}}
{{- end -}}
{{- if and (include "transship.features" .) (include "transship.hasWebhook" .) (eq $name (include "transship.serviceAccountName" .)) -}}
{{- fail (printf "the ServiceAccount of the webhook and that of the controller are both %s: the webhook must not have the permissions of the controller. Give serviceAccount.name and controller.serviceAccount.name different names." $name) -}}
{{- end -}}
{{- end -}}

{{- define "transship.refuseLocalRegistryConflicts" -}}
{{- if and .Values.localRegistry.publish.enabled (not .Values.localRegistry.nodePort) -}}
{{- fail "localRegistry.publish.enabled is true and localRegistry.nodePort is 0: what is published must be known before the install. Choose a port." -}}
{{- end -}}
{{- if and .Values.localRegistry.auth.pullSecret (not .Values.localRegistry.auth.htpasswdSecret) -}}
{{- fail "localRegistry.auth.pullSecret is set and localRegistry.auth.htpasswdSecret is empty: a registry without users needs no password." -}}
{{- end -}}
{{- if and .Values.localRegistry.auth.pullSecret (not .Values.localRegistry.nodePort) -}}
{{- fail "localRegistry.auth.pullSecret is set and localRegistry.nodePort is 0: credentials are for a host with its port. Choose a port." -}}
{{- end -}}
{{- if and (not .Values.localRegistry.enabled) (or .Values.localRegistry.publish.enabled .Values.localRegistry.auth.htpasswdSecret .Values.localRegistry.persistence.enabled) -}}
{{- fail "localRegistry has settings and localRegistry.enabled is false: enable it, or leave them out." -}}
{{- end -}}
{{- end -}}
