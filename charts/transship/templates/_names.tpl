{{- define "transship.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that never change in the life of a release: a Deployment's selector is immutable. */ -}}
{{- define "transship.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "transship.labels" -}}
{{ include "transship.selectorLabels" . }}
app.kubernetes.io/part-of: transship
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "transship.image" -}}
{{- with .Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.tag }}:{{ .Values.image.tag }}{{ else if not .Values.image.digest }}:{{ .Chart.AppVersion }}{{ end -}}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "transship.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "transship.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "transship.priorityClassName" -}}
{{- if .Values.priorityClass.create -}}
{{- .Values.priorityClass.name | default (include "transship.fullname" .) -}}
{{- else -}}
{{- .Values.priorityClass.name -}}
{{- end -}}
{{- end -}}

{{- define "transship.policyConfigMapName" -}}
{{- .Values.rewritePolicy.existingConfigMap | default (printf "%s-policy" (include "transship.fullname" .)) -}}
{{- end -}}

{{- /* Labels of an object of another component than the webhook: `list $ "self-test"`. Else the Service would send reviews to its pods. */ -}}
{{- define "transship.componentLabels" -}}
{{ omit (include "transship.labels" (first .) | fromYaml) "app.kubernetes.io/component" | toYaml }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{- define "transship.componentSelectorLabels" -}}
{{ omit (include "transship.selectorLabels" (first .) | fromYaml) "app.kubernetes.io/component" | toYaml }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{- define "transship.selfTestLabels" -}}
{{ include "transship.componentLabels" (list . "self-test") }}
{{- end -}}
