{{- /*
Each tls.mode has a Service, a MutatingWebhookConfiguration and a Secret of its own. So nobody fills in a field of an object that another writer had before
(caBundle has one owner for the life of its object), and while the mode changes (tls.previousMode) the configuration of each mode calls only pods whose
certificate it trusts.
*/ -}}

{{- /* Modes in use, the present one first: `controller,secret`. None without a webhook. */ -}}
{{- define "transship.tls.modes" -}}
{{- if include "transship.hasWebhook" . -}}
{{- list .Values.tls.mode .Values.tls.previousMode | compact | join "," -}}
{{- end -}}
{{- end -}}

{{- /* Name of the Service and of the configuration: `list $ mode`. */ -}}
{{- define "transship.tls.name" -}}
{{- $suffixes := dict "controller" "" "certManager" "-cert-manager" "secret" "-secret" -}}
{{- include "transship.fullname" (first .) }}{{ get $suffixes (last .) -}}
{{- end -}}

{{- define "transship.serviceName" -}}
{{- include "transship.tls.name" (list . .Values.tls.mode) -}}
{{- end -}}

{{- /* The Secret that pods mount: `list $ mode`. */ -}}
{{- define "transship.tls.secretName" -}}
{{- if eq (last .) "secret" -}}
{{- (first .).Values.tls.secret.name -}}
{{- else -}}
{{- include "transship.tls.name" . }}-tls
{{- end -}}
{{- end -}}

{{- /* Whose certificate a pod has: the Services select by it. */ -}}
{{- define "transship.tls.modeLabel" -}}
transship.dev/tls-mode: {{ . | kebabcase }}
{{- end -}}

{{- /* Annotations of the webhook configuration: cert-manager's CA injector fills in caBundle. `list $ mode` */ -}}
{{- define "transship.tls.annotations" -}}
{{- $root := first . -}}
{{- $own := dict -}}
{{- if eq (last .) "certManager" -}}
{{- $own = dict "cert-manager.io/inject-ca-from" (printf "%s/%s" $root.Release.Namespace (include "transship.fullname" $root)) -}}
{{- end -}}
{{- with merge $own $root.Values.webhookAnnotations }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- /* The Secret with the key that signs: only the controller reads it. The controller derives the same name from that of the other Secret. */ -}}
{{- define "transship.tls.caSecretName" -}}
{{- include "transship.tls.secretName" (list . "controller") }}-ca
{{- end -}}

{{- /* Empty when somebody else owns the field: what a release does not render, an upgrade does not reset. `list $ mode` */ -}}
{{- define "transship.tls.caBundle" -}}
{{- if eq (last .) "secret" -}}
{{- $bundle := trim (first .).Values.tls.secret.caBundle -}}
{{- if hasPrefix "-----BEGIN" $bundle -}}
{{- $bundle | b64enc -}}
{{- else -}}
{{- $bundle | nospace -}}
{{- end -}}
{{- end -}}
{{- end -}}
