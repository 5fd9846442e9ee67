/** Names in a policy that are not valid in Kubernetes, with the valid spelling. */
import { isLabelValue, isQualifiedName } from './kubernetes-names.ts';

/** `namespaces:` entries are names with `*` (RFC 1123 labels); other selector syntax would silently match nothing. */
export function namespaceProblem(text: string): string | null {
  if (/[\u2018\u2019\u201c\u201d\u00ab\u00bb]/.test(text))
    return `${text} has curly quotes, which are part of the name; write ${plain(text)}`;
  const bare = text.trim();
  if (/[,;\s]/.test(bare) && !/[{}()]/.test(bare))
    return `${JSON.stringify(text)} is one name; write a list, one name an entry: [${bare.split(/[,;\s]+/).join(', ')}]`;
  if (bare !== text) return `${JSON.stringify(text)} has white space at an end; write ${bare}`;
  if (bare.startsWith('!') || bare.startsWith('-'))
    return `${text} is not a name, and names cannot be excluded; list the namespaces to include`;
  if (/[\^$\\()|+{}]|\.\*/.test(bare))
    return `${text} is read as a name and not as a regular expression; only * is special${suggested(bare)}`;
  if (bare.includes('?')) return `${text}: ? is not special; write * for any characters, or list the names`;
  if (/[[\]]/.test(bare)) return `${text}: [ ] is not special; write * for any characters, or list the names`;
  const near = bare.toLowerCase().replaceAll('_', '-');
  if (bare !== bare.toLowerCase() && isNamespaceGlob(near)) return `${text}: the name of a namespace is lower case; write ${near}`;
  if (!isNamespaceGlob(bare))
    return `${JSON.stringify(text)} is not a name of a namespace: lower-case letters, digits and -, at most 63 characters, and * for any of them`;
  return null;
}

/** But for the length of what is no `*`. */
export const namespaceGlobExpression = /^[a-z0-9*]([a-z0-9*-]*[a-z0-9*])?$/;
const isNamespaceGlob = (text: string): boolean => namespaceGlobExpression.test(text) && text.replaceAll('*', '').length <= 63;

function plain(text: string): string {
  return text.replace(/[\u2018\u2019\u201c\u201d\u00ab\u00bb]/g, '');
}

/** `; write team-*` for `^team-.*$`, if it contains only anchors and `.*`. */
function suggested(expression: string): string {
  const name = expression.replace(/^\^/, '').replace(/\$$/, '').replaceAll('.*', '*').replaceAll('.+', '*');
  return /^[a-z0-9*-]+$/.test(name) ? `; write ${name}` : '; list the names';
}

export function labelKeyProblem(key: string): string | null {
  return isQualifiedName(key) ? null : `${key} is not a label key such as app or app.kubernetes.io/name`;
}

export function labelValueProblem(value: string): string | null {
  if (isLabelValue(value)) return null;
  if (value.includes('*')) return `${value}: labels are compared exactly, * is not special; add a rule for each value`;
  return `${value} is not a label value: letters, digits, -, _ and ., at most 63 characters`;
}
