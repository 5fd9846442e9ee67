{{- /* Refusals that go by the cluster or the namespace, and not by values alone. What `lookup` sees, it sees during an install or upgrade only. */ -}}

{{- define "transship.refuseNamespace" -}}
{{- if eq .Release.Namespace "default" -}}
{{- fail "the release namespace is default, and transship never rewrites pods of its own namespace: use a separate one, as with --namespace transship --create-namespace." -}}
{{- end -}}
{{- end -}}

{{- define "transship.refuseOptInConflicts" -}}
{{- $values := concat (list .Values.optIn.value .Values.optIn.shadowValue "disabled") .Values.optIn.otherValues -}}
{{- if ne (len $values) (len (uniq $values)) -}}
{{- fail (printf "optIn.value, optIn.shadowValue, optIn.otherValues and the value disabled, which excludes a namespace from every release, must differ; they are %s." (join ", " $values)) -}}
{{- end -}}
{{- $api := "admissionregistration.k8s.io/v1" -}}
{{- $objects := (lookup $api "MutatingWebhookConfiguration" "" "").items -}}
{{- /* A release with a webhook alone asks for no right to read these. */ -}}
{{- if include "transship.hasAdmissionPolicy" . -}}
{{- $objects = concat ($objects | default list) ((lookup $api "MutatingAdmissionPolicyBinding" "" "").items | default list) -}}
{{- end -}}
{{- range $objects -}}
{{- $labels := .metadata.labels | default dict -}}
{{- $annotations := .metadata.annotations | default dict -}}
{{- $isOurs := and (eq (get $annotations "meta.helm.sh/release-name" | default (get $labels "app.kubernetes.io/instance")) $.Release.Name) (eq (get $annotations "meta.helm.sh/release-namespace" | default $.Release.Namespace) $.Release.Namespace) -}}
{{- if and (eq (get $labels "app.kubernetes.io/part-of") "transship") (not $isOurs) -}}
{{- $what := printf "%s %s" .kind .metadata.name -}}
{{- $selectors := list (.spec | default dict).matchResources -}}
{{- range .webhooks -}}{{- if eq .name "enforce.transship.dev" -}}{{- $selectors = append $selectors . -}}{{- end -}}{{- end -}}
{{- range $selectors | compact -}}
{{- range (.namespaceSelector | default dict).matchExpressions -}}
{{- if and (eq .key "transship.dev/rewrite") (eq .operator "In") (has $.Values.optIn.value .values) -}}
{{- fail (printf "another release of transship, with the %s, rewrites namespaces labelled transship.dev/rewrite=%s already: give this one another optIn.value and optIn.shadowValue." $what $.Values.optIn.value) -}}
{{- end -}}
{{- if and (eq .key "transship.dev/rewrite") (eq .operator "NotIn") (or (eq $.Values.optIn.mode "OptOut") (not (has $.Values.optIn.value .values))) -}}
{{- fail (printf "another release of transship, with the %s, rewrites every namespace that is not kept out: list %s and %s in its optIn.otherValues first, and use optIn.mode OptIn here." $what $.Values.optIn.value $.Values.optIn.shadowValue) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "transship.refuseHostNetwork" -}}
{{- if .Values.hostNetwork -}}
{{- $namespace := lookup "v1" "Namespace" "" .Release.Namespace -}}
{{- $standard := "" -}}
{{- if $namespace -}}{{- $standard = get ($namespace.metadata.labels | default dict) "pod-security.kubernetes.io/enforce" -}}{{- end -}}
{{- if has $standard (list "baseline" "restricted") -}}
{{- fail (printf "hostNetwork is true and namespace %s enforces the Pod Security Standard %s, which forbids it: no pod could be created. Label the namespace pod-security.kubernetes.io/enforce=privileged." .Release.Namespace $standard) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A budget that never lets a pod go keeps every node with one of them from being drained. */ -}}
{{- define "transship.refuseBlockedDrains" -}}
{{- if .Values.podDisruptionBudget.enabled -}}
{{- $replicas := .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas .Values.replicaCount | int -}}
{{- $minimum := toString .Values.podDisruptionBudget.minAvailable -}}
{{- if has (toString .Values.podDisruptionBudget.maxUnavailable) (list "0" "0%") -}}
{{- fail "podDisruptionBudget.maxUnavailable is 0: no node with a pod of the webhook could be drained. Allow at least 1." -}}
{{- end -}}
{{- if ne $minimum "" -}}
{{- /* Kubernetes rounds the percentage up. */ -}}
{{- $needed := hasSuffix "%" $minimum | ternary (ceil (divf (mulf (trimSuffix "%" $minimum | float64) $replicas) 100)) (float64 $minimum) | int -}}
{{- if ge $needed $replicas -}}
{{- fail (printf "podDisruptionBudget.minAvailable is %s with %d replicas: no node with a pod of the webhook could be drained. Ask for fewer, or run more replicas." $minimum $replicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
