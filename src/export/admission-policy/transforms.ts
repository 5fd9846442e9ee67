/** The transforms in CEL: `m` is the image, `e` the entry that matched it. Empty where there is no result. */
import type { TableRule } from './table.ts';
import { canonicalName, nameText, pathText } from './reference.ts';

const below = (kept: string): string => `e.to + "/" + ${kept} + m.suffix`;

const path = pathText('m');
const last = 'm.key.split("/")[m.key.split("/").size() - 2]';
const familiar = `(!m.key.startsWith("docker.io/") ? ${canonicalName('m')} : m.key.matches("^docker[.]io/library/[^/]+/$") ? ${path}.substring(8) : ${path})`;
const tagged = `${last} + "-" + (m.suffix.matches("^:") ? m.suffix.substring(1).split("@")[0] : "latest")`;
const digestPart = '(m.suffix.contains("@") ? m.suffix.substring(m.suffix.indexOf("@")) : "")';

/** What follows the components that the pattern matched, or the whole name where it is every image. */
const remainder = `(e.depth == "0" ? ${nameText('m')} : m.key.split("/").slice(int(e.depth), m.key.split("/").size() - 1).join("/"))`;

const canonical = {
  path: below(path),
  fullName: `m.key.matches("^[^/]*:") ? "" : ${below(canonicalName('m'))}`,
  flatten: below(last),
  escape: below(`${familiar}.replace("/", "_").replace(":", "_")`),
  singleRepository: `m.suffix.startsWith("@") ? e.to + m.suffix
    : [${tagged}].map(t, t.size() > 128 ? "" : e.to + ":" + t + ${digestPart})[0]`,
  remainder: `[${remainder}].map(k, k != "" ? ${below('k')} : e.to.contains("/") ? e.to + m.suffix : "")[0]`,
  image: 'has(e.complete) ? e.to : e.to + m.suffix',
} as const;

/** A transform that CEL can say. */
export type ExpressedTransform = keyof typeof canonical;

export function isExpressed(as: string): as is ExpressedTransform {
  return Object.hasOwn(canonical, as);
}

const written: Partial<Record<ExpressedTransform, string>> = {
  path: below('m.rest'),
  fullName: `m.host.contains(":") ? "" : ${below('m.host.lowerAscii() + m.rest')}`,
};

/** The member `as` of a rule: the transform, and whether it keeps the spelling. */
export function actionText({ action, spelling }: Pick<TableRule, 'action' | 'spelling'>): string {
  return spelling === 'written' ? `${action} written` : action;
}

/** The new text for those transforms that the rules have. */
export function transformed(rules: readonly TableRule[]): string {
  const used = new Map<string, string>();
  for (const rule of rules) {
    if (!isExpressed(rule.action)) continue;
    used.set(actionText(rule), (rule.spelling === 'written' ? written[rule.action] : undefined) ?? canonical[rule.action]);
  }
  const cases = [...used].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const [only] = cases;
  if (only !== undefined && cases.length === 1 && rules.every((rule) => actionText(rule) === only[0])) return only[1];
  return [...cases.map(([as, text]) => `e.as == "${as}" ? (${text})`), '""'].join('\n: ');
}
