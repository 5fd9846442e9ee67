{{- /*
The part of a value that has the shape which a template reads: `list shape value`, as JSON under `value`. What has another shape is left out: of a policy, the
policy check, the controller and the webhook tell file and line. A shape is the name of a kind, a list with the shape of its items, or a map with the shapes of
its members, `*` for those of any name.
*/ -}}
{{- define "transship.ofShape" -}}
{{- $shape := first . -}}
{{- $value := last . -}}
{{- $read := dict -}}
{{- if kindIs "string" $shape -}}
{{- if kindIs $shape $value -}}{{- $read = dict "value" $value -}}{{- end -}}
{{- else if not (kindIs (kindOf $shape) $value) -}}
{{- else if kindIs "map" $shape -}}
{{- $members := dict -}}
{{- range $name, $member := $value -}}
{{- with get $shape $name | default (get $shape "*") -}}
{{- $inner := include "transship.ofShape" (list . $member) | fromJson -}}
{{- if hasKey $inner "value" -}}{{- $members = set $members $name $inner.value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $read = dict "value" $members -}}
{{- else -}}
{{- $items := list -}}
{{- range $value -}}
{{- $inner := include "transship.ofShape" (list (first $shape) .) | fromJson -}}
{{- if hasKey $inner "value" -}}{{- $items = append $items $inner.value -}}{{- end -}}
{{- end -}}
{{- $read = dict "value" $items -}}
{{- end -}}
{{- $read | toJson -}}
{{- end -}}
