{{- /* Pods that a condition of another policy passes over would stay as written, and nothing would tell. */ -}}
{{- define "transship.refuseMatchImages" -}}
{{- if or .Values.matchImages.revision .Values.matchImages.expression -}}
{{- $again := "Write both with: transship export match-images --policy FILE" -}}
{{- if not (and .Values.matchImages.revision (trim .Values.matchImages.expression)) -}}
{{- fail (printf "matchImages needs revision and expression, and has one of them. %s" $again) -}}
{{- end -}}
{{- if not (include "transship.hasWebhook" .) -}}
{{- fail (printf "matchImages is set and engine is %s, which has no webhook: leave matchImages empty." .Values.engine) -}}
{{- end -}}
{{- if .Values.rewritePolicy.existingConfigMap -}}
{{- fail "matchImages is set and rewritePolicy.existingConfigMap too: the condition could not follow a policy that changes without an upgrade. Give the policy with --set-file rewritePolicy.inline=FILE, or leave matchImages empty." -}}
{{- end -}}
{{- $text := include "transship.policyText" . -}}
{{- $hosts := list -}}
{{- range $name, $registry := include "transship.registries" . | fromYaml -}}
{{- if hasKey $registry "hostFrom" -}}{{- $hosts = append $hosts $name -}}{{- end -}}
{{- end -}}
{{- if or $hosts .Values.resolvedHosts.configMap -}}
{{- fail (printf "matchImages is set, and hosts of the policy are resolved in the cluster (%s): the condition would not follow them. Leave matchImages empty." (join ", " $hosts | default "resolvedHosts.configMap")) -}}
{{- end -}}
{{- $revision := include "transship.policyRevision" $text -}}
{{- if ne .Values.matchImages.revision $revision -}}
{{- fail (printf "matchImages is of revision %s of the policy, and rewritePolicy.inline has revision %s: pods would stay as written. %s, where FILE is the text that the ConfigMap of the policy has." .Values.matchImages.revision $revision $again) -}}
{{- end -}}
{{- end -}}
{{- end -}}
