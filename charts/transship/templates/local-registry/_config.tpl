{{- /* The image, with its host replaced where a parent chart gives a registry to all images. */ -}}
{{- define "transship.localRegistryImage" -}}
{{- if .Values.global.imageRegistry -}}
{{- include "transship.registry" (list . "") }}{{ regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" .Values.localRegistry.image "" -}}
{{- else -}}
{{- .Values.localRegistry.image -}}
{{- end -}}
{{- end -}}

{{- /* https://distribution.github.io/distribution/about/configuration/ */ -}}
{{- define "transship.localRegistryConfig" -}}
version: 0.1
log: { level: info, formatter: json, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: /var/lib/registry }
  delete: { enabled: true }
http:
  addr: :5000
  headers: { X-Content-Type-Options: [nosniff] }
health:
  storagedriver: { enabled: true, interval: 10s, threshold: 3 }
{{- if .Values.localRegistry.auth.htpasswdSecret }}
auth:
  htpasswd: { realm: transship, path: /etc/registry-users/htpasswd }
{{- end }}
{{- end -}}
