/** Detects unrendered files of a Helm chart: Go's text/template in YAML. */

/** An action outside quotes; in quotes it may be meant for another program, such as an alert's text. */
export function isTemplate(text: string): boolean {
  return /(?:^|[:\-\s])[ \t]*\{\{-?[ \t]*(?:[.$(]|\/\*|(?:if|else|end|range|with|include|template|define|block|toYaml|tpl|printf|default|quote|required)\b)/m.test(
    text,
  );
}
