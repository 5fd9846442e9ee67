/** What the controller found in registries with `verify: true`, as it writes it for people and for read-only commands. Pure. */

/** Key of the ConfigMap's data. */
export const verifyStatusKey = 'status.json';

export interface MissingImage {
  /** As a node would pull it. */
  readonly image: string;
  /** As the policy calls it. */
  readonly registry: string;
  /** As a pod was written, to be copied from; the image itself where nothing rewrites it. */
  readonly source: string;
  /** Since when it has been found missing: ISO 8601. */
  readonly since: string;
}

export interface VerifyProblem {
  readonly registry: string;
  /** As in the metrics of the controller: `unauthorized`, `unreachable`, `too-many-requests`, `unknown`. */
  readonly result: string;
  /** For people. */
  readonly reason: string;
  readonly since: string;
}

export interface VerifyStatus {
  /** Sorted by image. */
  readonly missing: readonly MissingImage[];
  /** How many more are missing. */
  readonly more: number;
  readonly problems: readonly VerifyProblem[];
  /** How many images are not checked, since there are too many. */
  readonly leftOut: number;
}

export const emptyStatus: VerifyStatus = { missing: [], more: 0, problems: [], leftOut: 0 };

/** Characters: a ConfigMap has at most 1 MiB. An image has at most about a thousand. */
const maxLength = 256 * 1024;

/** The same status is the same text. */
export function formatStatus(status: VerifyStatus): string {
  const missing = status.missing.toSorted((a, b) => (a.image < b.image ? -1 : 1));
  let length = 0;
  const shown = missing.filter((entry) => {
    length += JSON.stringify(entry).length + 1;
    return length <= maxLength;
  });
  return `${JSON.stringify({ ...status, missing: shown, more: status.more + missing.length - shown.length }, null, 1)}\n`;
}

/** Null for a text that is none; members that are not as expected are left out. */
export function parseStatus(text: string | undefined): VerifyStatus | null {
  const value = parsed(text ?? '');
  if (typeof value !== 'object' || value === null) return null;
  const member = (name: string): unknown => Reflect.get(value, name);
  return {
    missing: entriesOf(member('missing'), ['image', 'registry', 'source', 'since']),
    more: countOf(member('more')),
    problems: entriesOf(member('problems'), ['registry', 'result', 'reason', 'since']),
    leftOut: countOf(member('leftOut')),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const countOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

function entriesOf<Key extends string>(value: unknown, keys: readonly Key[]): Readonly<Record<Key, string>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (each: unknown): each is Record<Key, string> =>
      typeof each === 'object' && each !== null && keys.every((key) => typeof Reflect.get(each, key) === 'string'),
  );
}
