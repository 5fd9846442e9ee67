{{- /*
Who is rewritten, said in selectors and conditions only, so that the webhook needs no rights in the API.
https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchpolicy
*/ -}}

{{- /* kubernetes.io/metadata.name is set by the API server and cannot be faked, so names can be excluded by it. */ -}}
{{- define "transship.guard" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ include "transship.guardedNamespaces" . }}
{{- end -}}

{{- define "transship.guardedNamespaces" -}}
{{- concat (list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace) .Values.excludeNamespaces | uniq | sortAlpha | toJson -}}
{{- end -}}

{{- /* Namespaces that are rewritten unless a pod says otherwise. */ -}}
{{- define "transship.enforcedNamespaces" -}}
- key: transship.dev/rewrite
  {{- if eq .Values.optIn.mode "OptOut" }}
  operator: NotIn
  values: {{ concat (list "disabled" .Values.optIn.shadowValue) .Values.optIn.otherValues | uniq | toJson }}
  {{- else }}
  operator: In
  values: [{{ .Values.optIn.value | quote }}]
  {{- end }}
{{- end -}}

{{- /* Values of the label on a pod that mean something to this release: JSON. With any other one the pod goes by its namespace. */ -}}
{{- define "transship.podValues" -}}
{{- list .Values.optIn.value .Values.optIn.shadowValue "disabled" | toJson -}}
{{- end -}}

{{- define "transship.notMirrorPod" -}}
# The kubelet made a mirror pod from a file on its node: a change would not reach the node.
- name: not-a-mirror-pod
  expression: '!("kubernetes.io/config.mirror" in object.metadata.?annotations.orValue({}))'
{{- end -}}

{{- /*
Every label or finalizer of a pod is an UPDATE too; only those that bring another image matter.
`containers` is null in an update that takes them all away, which the API server refuses later.
*/ -}}
{{- define "transship.imageChanges" -}}
{{- $parts := list -}}
{{- range $list := list "containers" "initContainers" "ephemeralContainers" -}}
{{- $new := eq $list "containers" | ternary "optional.ofNonZeroValue(object.spec.containers).orValue([])" (printf "object.spec.?%s.orValue([])" $list) -}}
{{- $parts = append $parts (printf "%s.map(c, c.?image.orValue(\"\")) != oldObject.spec.?%s.orValue([]).map(c, c.?image.orValue(\"\"))" $new $list) -}}
{{- end -}}
- name: an-image-changes
  expression: 'request.operation != "UPDATE" || {{ join " || " $parts }}'
{{- end -}}

{{- define "transship.matchConditions" -}}
{{ include "transship.notMirrorPod" . }}
{{ include "transship.imageChanges" . }}
# Two releases that wait for each other's pods could never start again.
- name: not-of-transship
  expression: 'object.metadata.?labels[?"app.kubernetes.io/part-of"].orValue("") != "transship"'
{{- if .Values.controller.features.fallback }}
# What the controller moves to an alternative stays there.
- name: not-by-fallback
  expression: 'request.operation != "UPDATE" || request.userInfo.username != "system:serviceaccount:{{ .Release.Namespace }}:{{ include "transship.controllerServiceAccountName" . }}"'
{{- end }}
{{- with .Values.matchImages.expression }}
# From the rules: other images are left alone.
- name: an-image-is-concerned
  expression: |-
    // Of revision {{ $.Values.matchImages.revision }} of the policy.
    {{- . | trim | nindent 4 }}
{{- end }}
{{- with .Values.matchConditions }}
{{ toYaml . }}
{{- end }}
{{- end -}}
