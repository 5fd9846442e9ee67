{{- /* An export for other values than these would rewrite other pods than the release says, or none. */ -}}
{{- define "transship.refuseExported" -}}
{{- $name := include "transship.admissionPolicyName" . -}}
{{- $again := printf "Write it with: %s" (include "transship.exportCommand" .) -}}
{{- $objects := include "transship.exportedObjects" . | fromYamlArray -}}
{{- $condition := dict "name" "string" "expression" "string" -}}
{{- $guard := dict "namespaceSelector" (dict "matchExpressions" (list (dict "values" (list "string")))) -}}
{{- $spec := dict "failurePolicy" "string" "matchConstraints" $guard "matchConditions" (list $condition) -}}
{{- $shape := dict "apiVersion" "string" "spec" $spec "metadata" (dict "name" "string") -}}
{{- $policy := (include "transship.ofShape" (list $shape (include "transship.exportedPolicy" . | fromYaml)) | fromJson).value -}}
{{- $guarded := dig "spec" "matchConstraints" "namespaceSelector" "matchExpressions" list $policy -}}
{{- if not (and $guarded (hasKey $policy.metadata "name") (eq (len $objects) 3) (eq (get $policy "apiVersion") "admissionregistration.k8s.io/v1")) -}}
{{- fail (printf "admissionPolicy.exported is not the output of transship export admission-policy, which is a MutatingAdmissionPolicy and its two bindings. To read a file, use --set-file admissionPolicy.exported=FILE. %s" $again) -}}
{{- end -}}
{{- if ne $policy.metadata.name $name -}}
{{- fail (printf "admissionPolicy.exported has the name %s, and that of this release is %s. %s" $policy.metadata.name $name $again) -}}
{{- end -}}
{{- if ne (get $policy.spec "failurePolicy") .Values.failurePolicy -}}
{{- fail (printf "admissionPolicy.exported has failurePolicy %s, and the value failurePolicy is %s. %s" (get $policy.spec "failurePolicy") .Values.failurePolicy $again) -}}
{{- end -}}
{{- $excluded := (first $guarded).values | default list -}}
{{- if ne (toJson $excluded) (include "transship.guardedNamespaces" .) -}}
{{- fail (printf "admissionPolicy.exported leaves out the namespaces %s, and this release leaves out %s. %s" (join ", " $excluded) (include "transship.guardedNamespaces" . | fromJsonArray | join ", ") $again) -}}
{{- end -}}
{{- $match := include "transship.bindingsMatch" . | fromYaml -}}
{{- range $objects -}}
{{- if and (eq .kind "MutatingAdmissionPolicyBinding") (ne (toJson .spec.matchResources) (get $match (trimPrefix (printf "%s-" $name) .metadata.name) | toJson)) -}}
{{- fail (printf "admissionPolicy.exported was written for other values of optIn: its MutatingAdmissionPolicyBinding %s selects other pods than this release. %s" .metadata.name $again) -}}
{{- end -}}
{{- end -}}
{{- range $condition := .Values.matchConditions -}}
{{- $found := false -}}
{{- range $policy.spec.matchConditions -}}{{- if and (eq (get . "name") $condition.name) (eq (trim (get . "expression")) (trim $condition.expression)) -}}{{- $found = true -}}{{- end -}}{{- end -}}
{{- if not $found -}}
{{- fail (printf "admissionPolicy.exported lacks the condition %s of matchConditions. %s" $condition.name $again) -}}
{{- end -}}
{{- end -}}
{{- $own := include "transship.policyConditions" . | fromJsonArray -}}
{{- range .Values.matchConditions -}}{{- $own = append $own .name -}}{{- end -}}
{{- range $policy.spec.matchConditions -}}
{{- if not (has (get . "name") $own) -}}
{{- fail (printf "admissionPolicy.exported has the condition %s, which matchConditions lacks: pods would be left alone that the values do not name. Add it, or export again. %s" .name $again) -}}
{{- end -}}
{{- end -}}
{{- include "transship.refusePart" . -}}
{{- include "transship.refuseExportedRevision" . -}}
{{- include "transship.refuseExportedHosts" . -}}
{{- end -}}

{{- /* Images of the rules that it leaves to a webhook would stay as written. The sentence is of src/export/admission-policy/admission-policy.ts. */ -}}
{{- define "transship.refusePart" -}}
{{- if and (not (include "transship.hasWebhook" .)) (contains "# It is a part of the policy." .Values.admissionPolicy.exported) -}}
{{- fail "admissionPolicy.exported was written with --partial, and engine is admissionPolicy: no webhook decides the rest of the policy. Use engine both, or change the policy so that all of it can be exported." -}}
{{- end -}}
{{- end -}}

{{- /* Copies, self-test and doctor go by the policy itself: it must be there, and the one that was exported. */ -}}
{{- define "transship.refuseExportedRevision" -}}
{{- if not (or .Values.rewritePolicy.inline .Values.rewritePolicy.existingConfigMap) -}}
{{- fail "admissionPolicy.exported is set without the policy that it was exported from, which copies of pull secrets, helm test and doctor go by: give it with --set-file rewritePolicy.inline=FILE, or in rewritePolicy.existingConfigMap." -}}
{{- end -}}
{{- $text := include "transship.policyText" . -}}
{{- $source := "" -}}
{{- if not (kindIs "string" .Values.rewritePolicy.inline) }}{{- $source = ", where FILE is the text that the ConfigMap of the policy has" -}}{{- end -}}
{{- with .Values.rewritePolicy.existingConfigMap -}}
{{- $map := lookup "v1" "ConfigMap" $.Release.Namespace . | default dict -}}
{{- $text = get ($map.data | default dict) $.Values.rewritePolicy.key -}}
{{- end -}}
{{- $exported := include "transship.exportedRevision" . -}}
{{- if and $text (ne $exported (include "transship.policyRevision" $text)) -}}
{{- fail (printf "admissionPolicy.exported is of revision %s of the policy, and the policy of this release has revision %s: export it again. Write it with: %s%s" ($exported | default "unknown") (include "transship.policyRevision" $text) (include "transship.exportCommand" .) $source) -}}
{{- end -}}
{{- end -}}

{{- /* An exported policy has the hosts of the export, wherever nodes are to pull from later. */ -}}
{{- define "transship.refuseExportedHosts" -}}
{{- $remedy := "an exported policy does not follow resolved hosts. Leave it empty, and the controller keeps the policy object." -}}
{{- if (include "transship.askedFeatures" . | fromYaml).hosts -}}
{{- fail (printf "a registry of the policy has hostFrom and admissionPolicy.exported is set: %s" $remedy) -}}
{{- end -}}
{{- if eq (toString .Values.controller.features.hosts) "true" -}}
{{- fail (printf "controller.features.hosts is true and admissionPolicy.exported is set: %s" $remedy) -}}
{{- end -}}
{{- if .Values.resolvedHosts.configMap -}}
{{- fail (printf "resolvedHosts.configMap and admissionPolicy.exported are both set: %s" $remedy) -}}
{{- end -}}
{{- if and .Values.controller.features.fallback .Values.controller.fallback.breaker.enabled (not .Values.controller.fallback.dryRun) -}}
{{- fail "controller.features.fallback is true and admissionPolicy.exported is set: an exported policy does not follow which registries are unavailable. Set controller.fallback.breaker.enabled to false, or leave admissionPolicy.exported empty, and the controller keeps the policy object." -}}
{{- end -}}
{{- end -}}
