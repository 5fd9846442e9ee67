/** The annotation that records which containers the controller moved to an alternative of their rule, and when. */
import { isObject } from './json.ts';

/** JSON object: container name to a `FallbackStep`. Written by the controller. */
export const fallbackAnnotation = 'transship.dev/fallback';

/** The last step of a container. */
export interface FallbackStep {
  /** Of the rule's alternatives, beginning with 1. */
  readonly step: number;
  /** The image that could not be pulled. */
  readonly from: string;
  /** The image since then. An entry counts only while the container has this image. */
  readonly to: string;
  /** RFC 3339. */
  readonly at: string;
}

export type FallbackRecord = ReadonlyMap<string, FallbackStep>;

/** Longer ones were not written by transship: a pod has at most some dozens of containers, and a name at most 255 characters. */
const maxLength = 64 * 1024;

/** Entries of another form are left out. */
export function parseFallback(text: string | null): FallbackRecord {
  if (text === null || text.length > maxLength) return new Map();
  try {
    const value: unknown = JSON.parse(text);
    return new Map(isObject(value) ? Object.entries(value).flatMap(([name, entry]) => (isStep(entry) ? [[name, entry]] : [])) : []);
  } catch {
    return new Map();
  }
}

export function fallbackText(record: FallbackRecord): string {
  return JSON.stringify(Object.fromEntries([...record].map(([name, { step, from, to, at }]) => [name, { step, from, to, at }])));
}

function isStep(entry: unknown): entry is FallbackStep {
  return (
    isObject(entry) &&
    typeof entry['step'] === 'number' &&
    Number.isInteger(entry['step']) &&
    typeof entry['from'] === 'string' &&
    typeof entry['to'] === 'string' &&
    typeof entry['at'] === 'string'
  );
}
