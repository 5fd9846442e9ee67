/**
 * The grammars of names in Kubernetes: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names and
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */

const dnsLabelSource = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dnsLabel = new RegExp(`^${dnsLabelSource}$`);

/** Of a DNS subdomain but for its length, for JSON Schemas too. */
export const subdomainExpression = new RegExp(String.raw`^${dnsLabelSource}(\.${dnsLabelSource})*$`);
export const maxSubdomain = 253;

const labelName = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** RFC 1123 label: the name of a namespace or of a Service. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && dnsLabel.test(text);
}

/** RFC 1123 subdomain: the name of most other objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= maxSubdomain && subdomainExpression.test(text);
}

/** The key of a label or an annotation; names of match conditions have the same grammar. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  return labelName.test(text.slice(slash + 1)) && (slash === -1 || isDnsSubdomain(text.slice(0, slash)));
}

export function isLabelValue(text: string): boolean {
  return text === '' || labelName.test(text);
}
