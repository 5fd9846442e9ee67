{{- /*
Replicas of the webhook; empty when somebody else decides.
With autoscaling the HorizontalPodAutoscaler does. But a field that is no longer rendered is removed, and its default is 1. So the number of the live
Deployment is rendered on: in a release that Helm 4 applies on the server, until the autoscaler's first scaling owns the field; in one that is patched by the
client, as Helm 3 does, always. https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership
*/ -}}
{{- define "transship.replicas" -}}
{{- if not .Values.autoscaling.enabled -}}
{{- .Values.replicaCount -}}
{{- else -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "transship.fullname" .) -}}
{{- if $live -}}
{{- $isScaled := false -}}
{{- $isApplied := false -}}
{{- range $live.metadata.managedFields -}}
{{- if eq (get . "subresource") "scale" -}}{{- $isScaled = true -}}{{- end -}}
{{- if and (eq .operation "Apply") (not (hasPrefix "v3." $.Capabilities.HelmVersion.Version)) -}}{{- $isApplied = true -}}{{- end -}}
{{- end -}}
{{- if not (and $isScaled $isApplied) -}}{{- $live.spec.replicas -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
