{{- /*
Release names may have dots and begin with a digit; names of Services may not. At most 50 characters: names made from it stay below the 63 of a Service.
*/ -}}
{{- define "transship.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $release := replace "." "-" .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if regexMatch "^[0-9]" $release -}}
{{- printf "%s-%s" $name $release | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Labels that never change during the life of a release: a Deployment's selector is immutable. */ -}}
{{- define "transship.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- /* `app.kubernetes.io/part-of` is also what keeps pods of every release out of every webhook. */ -}}
{{- define "transship.labels" -}}
{{- $own := printf `%s
app.kubernetes.io/part-of: transship
app.kubernetes.io/version: %s
app.kubernetes.io/managed-by: %s
helm.sh/chart: %s` (include "transship.selectorLabels" .) (.Chart.AppVersion | quote) .Release.Service
  (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") | fromYaml -}}
{{- merge $own .Values.commonLabels | toYaml -}}
{{- end -}}

{{- /* Labels of pods: `list $ component podLabels`. Without the chart's version: an upgrade that changes nothing of the pods does not replace them. */ -}}
{{- define "transship.podLabels" -}}
{{- $root := index . 0 -}}
{{- $own := include "transship.componentSelectorLabels" (list $root (index . 1)) | fromYaml -}}
{{- merge $own (dict "app.kubernetes.io/part-of" "transship") (index . 2) $root.Values.commonLabels | toYaml -}}
{{- end -}}

{{- /* `list $ registry`: the registry that the parent chart gives to all images, else the given one. */ -}}
{{- define "transship.registry" -}}
{{- $root := first . -}}
{{- with $root.Values.global.imageRegistry | default (last .) }}{{ trimSuffix "/" . }}/{{ end -}}
{{- end -}}

{{- define "transship.image" -}}
{{- include "transship.registry" (list . .Values.image.registry) -}}
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

{{- /* Spread constraints with the labels to count by, where they name none: `list $ component constraints`. */ -}}
{{- define "transship.spread" -}}
{{- $selector := dict "matchLabels" (include "transship.componentSelectorLabels" (list (index . 0) (index . 1)) | fromYaml) -}}
{{- $constraints := list -}}
{{- range index . 2 -}}
{{- $constraints = append $constraints (merge (deepCopy .) (dict "labelSelector" $selector)) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}
