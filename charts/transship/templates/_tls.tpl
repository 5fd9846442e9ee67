{{- /* One answer for each tls.mode to: which Secret is mounted, what the webhook configuration says of its authority. */ -}}

{{- define "transship.tls.secretName" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{- .Values.tls.secret.name -}}
{{- else -}}
{{- include "transship.fullname" . }}-tls
{{- end -}}
{{- end -}}

{{- /* Annotations of the webhook configuration: cert-manager's CA injector fills in caBundle. */ -}}
{{- define "transship.tls.annotations" -}}
{{- if eq .Values.tls.mode "certManager" -}}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "transship.fullname" . }}
{{- end -}}
{{- end -}}

{{- /* The Secret with the key that signs: only the controller reads it. The controller goes by the same name (src/controller/certificates/certificate-objects.ts). */ -}}
{{- define "transship.tls.authoritySecretName" -}}
{{- include "transship.tls.secretName" . }}-ca
{{- end -}}

{{- /* Empty when somebody else owns the field: what a release does not render, an upgrade does not reset. */ -}}
{{- define "transship.tls.caBundle" -}}
{{- if eq .Values.tls.mode "secret" -}}
{{- $bundle := trim .Values.tls.secret.caBundle -}}
{{- if hasPrefix "-----BEGIN" $bundle -}}
{{- $bundle | b64enc -}}
{{- else -}}
{{- $bundle | nospace -}}
{{- end -}}
{{- end -}}
{{- end -}}
