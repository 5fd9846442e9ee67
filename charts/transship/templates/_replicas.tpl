{{- /*
Replicas of the webhook; empty when somebody else decides.
With autoscaling the HorizontalPodAutoscaler does. But a field that is no longer rendered is removed, and its default is 1: so the number of the live Deployment
is rendered on until the autoscaler, by its first scaling, owns the field. https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
*/ -}}
{{- define "transship.replicas" -}}
{{- if not .Values.autoscaling.enabled -}}
{{- .Values.replicaCount -}}
{{- else -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "transship.fullname" .) -}}
{{- if $live -}}
{{- $scaled := false -}}
{{- range $live.metadata.managedFields -}}
{{- if eq (get . "subresource") "scale" -}}{{- $scaled = true -}}{{- end -}}
{{- end -}}
{{- if not $scaled -}}{{- $live.spec.replicas -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
