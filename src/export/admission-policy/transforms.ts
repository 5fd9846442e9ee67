/** The transforms in CEL: `m` is the image, `e` the entry that matched it. Empty where there is no result. */
import type { Entry, TableTarget } from './table.ts';
import { canonicalName, canonicalText, nameText, pathText } from './reference.ts';

const below = (kept: string): string => `e.to + "/" + ${kept} + m.suffix`;

const path = pathText('m');
const last = 'm.key.split("/")[m.key.split("/").size() - 2]';
const familiar = `(!m.key.startsWith("docker.io/") ? ${canonicalName('m')} : m.key.matches("^docker[.]io/library/[^/]+/$") ? ${path}.substring(8) : ${path})`;
const tagged = `${last} + "-" + (m.suffix.matches("^:") ? m.suffix.substring(1).split("@")[0] : "latest")`;
const digestPart = '(m.suffix.contains("@") ? m.suffix.substring(m.suffix.indexOf("@")) : "")';

/** What follows the components that the pattern matched, or the whole name where it is every image. */
const remainder = `(e.depth == "0" ? ${nameText('m')} : m.key.split("/").slice(int(e.depth), m.key.split("/").size() - 1).join("/"))`;

/** What follows the first match of an expression: CEL gives the text of a match, and not its place. */
const matchedText = `${canonicalText('m')}.find("^(?s:.*?)(?:" + e.regex + ")")`;
const afterMatch = `[${nameText('m')}].map(k, k.substring([${matchedText}.size(), k.size()].min())).map(k, k.startsWith("/") ? k.substring(1) : k)[0]`;

const belowUnlessEmpty = (kept: string): string =>
  `[${kept}].map(k, k != "" ? ${below('k')} : e.to.contains("/") ? e.to + m.suffix : "")[0]`;

const canonical = {
  path: below(path),
  fullName: `m.key.matches("^[^/]*:") ? "" : ${below(canonicalName('m'))}`,
  flatten: below(last),
  escape: below(`${familiar}.replace("/", "_").replace(":", "_")`),
  singleRepository: `m.suffix.startsWith("@") ? e.to + m.suffix
    : [${tagged}].map(t, t.size() > 128 ? "" : e.to + ":" + t + ${digestPart})[0]`,
  remainder: belowUnlessEmpty(remainder),
  image: 'has(e.complete) ? e.to : e.to + m.suffix',
} as const;

/** A transform that CEL can express. */
export type ExpressedTransform = keyof typeof canonical;

export function isExpressed(as: string): as is ExpressedTransform {
  return Object.hasOwn(canonical, as);
}

const written: Partial<Record<ExpressedTransform, string>> = {
  path: below('m.rest'),
  fullName: `m.host.contains(":") ? "" : ${below('m.host.lowerAscii() + m.rest')}`,
};

/** The member `as` of an entry: the transform, whether it keeps the spelling, and whether it goes by the match of an expression. */
export function actionText(target: TableTarget, entry: Entry): string {
  if (isAfterMatch(target, entry)) return 'remainder of match';
  return target.spelling === 'written' ? `${target.action} written` : target.action;
}

export function isAfterMatch({ action }: TableTarget, { depth, regex }: Entry): boolean {
  return action === 'remainder' && depth === 0 && regex !== '';
}

/** A target, and the entries of its rule. */
export type Use = readonly [target: TableTarget, entries: readonly Entry[]];

/** The new text for those transforms that are used. */
export function transformed(uses: readonly Use[]): string {
  const used = new Map(
    uses.flatMap(([target, entries]) => {
      const { action, spelling } = target;
      if (!isExpressed(action)) return [];
      const text = (spelling === 'written' ? written[action] : undefined) ?? canonical[action];
      return entries.map(
        (entry) => [actionText(target, entry), isAfterMatch(target, entry) ? belowUnlessEmpty(afterMatch) : text] as const,
      );
    }),
  );
  const cases = [...used].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const [only] = cases;
  const isOnly = uses.every(([target, entries]) => entries.every((entry) => actionText(target, entry) === only?.[0]));
  if (only !== undefined && cases.length === 1 && isOnly) return only[1];
  return [...cases.map(([as, text]) => `e.as == "${as}" ? (${text})`), '""'].join('\n: ');
}
