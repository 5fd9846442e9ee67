/** The annotation that records which containers the controller moved to an alternative of their rule, and when. */
import { maxTextLength } from '../image/grammar.ts';
import { isObject } from './json.ts';

/** JSON object: container name to a `FallbackStep`. Written by the controller. */
export const fallbackAnnotation = 'transship.dev/fallback';

/** One step of a container, as it is kept when another one follows: it led to the image that the next one came from. */
export interface EarlierStep {
  /** The image that could not be pulled. */
  readonly from: string;
  /** RFC 3339. */
  readonly at: string;
  /** Why it could not be pulled: a code of `PullFailureCode`. */
  readonly reason?: string;
}

/** The last step of a container. */
export interface FallbackStep extends EarlierStep {
  /** Of the rule's alternatives, beginning with 1. */
  readonly step: number;
  /** The image since then. An entry counts only while the container has this image. */
  readonly to: string;
  /** The first one first. */
  readonly earlier?: readonly EarlierStep[];
}

export type FallbackRecord = ReadonlyMap<string, FallbackStep>;

/** A step with both of its images. */
export interface TakenStep {
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string | null;
}

/**
 * In characters. Longer ones were not written by transship: a pod has at most some dozens of containers, and a name at most 255 characters. The API
 * server ends an expression that costs more than a million, and `fallbackLayout` costs some 16 for each character.
 */
export const maxFallbackLength = 48 * 1024;
/** Likewise. A rule has a handful of alternatives. */
const maxSteps = 100;
const maxWord = 64;

/** Names, images and times: nothing is escaped. */
const plainString = String.raw`"[^"\\]*"`;
const earlierLayout = `[{]"from":${plainString},"at":${plainString}(?:,"reason":${plainString})?[}]`;
const stepStart = `${plainString}:[{]"step":(?:[1-9][0-9]?|100),"from":${plainString},"to":${plainString}`;
const stepLayout = String.raw`${stepStart},"at":${plainString}(?:,"reason":${plainString})?(?:,"earlier":\[${earlierLayout}(?:,${earlierLayout})*\])?[}]`;

/**
 * What `fallbackText` writes, as expressions of both JavaScript and RE2: the whole record, and each step up to its image. A decision reads no other
 * layout of JSON, since a compiled admission policy has nothing else to read it with.
 */
export const fallbackLayout = { whole: `^[{]${stepLayout}(?:,${stepLayout})*[}]$`, stepStart } as const;

const whole = new RegExp(fallbackLayout.whole);
const eachStep = new RegExp(stepStart, 'g');

/** Which container the controller moved to which image. */
export type MovedImages = (name: string, image: string) => boolean;

const noneMoved: MovedImages = () => false;

/** @param text the annotation; null where the pod has none */
export function movedImages(text: string | null): MovedImages {
  if (text === null || isTooLong(text) || !whole.test(text)) return noneMoved;
  // Between quotation marks, of which there is none in a text: its name, `step`, `from`, the image before, `to`, the image.
  const moved = new Set(
    text
      .match(eachStep)
      ?.map((each) => each.split('"'))
      .map((parts) => `${parts[1]}"${parts[11]}`),
  );
  return (name, image) => moved.has(`${name}"${image}`);
}

/** Characters outside the Basic Multilingual Plane count once, as in CEL. */
function isTooLong(text: string): boolean {
  return text.length > maxFallbackLength && Array.from(text.slice(0, 2 * maxFallbackLength + 1)).length > maxFallbackLength;
}

/** Of any layout of JSON, for people and for the controller, which writes it again. Entries of another form are left out. */
export function parseFallback(text: string | null): FallbackRecord {
  if (text === null || text.length > maxFallbackLength) return new Map();
  try {
    const value: unknown = JSON.parse(text);
    const entries = isObject(value) ? Object.entries(value) : [];
    return new Map(entries.flatMap(([name, entry]) => (isPlain(name) && isStep(entry) ? [[name, stepOf(entry)]] : [])));
  } catch {
    return new Map();
  }
}

export function fallbackText(record: FallbackRecord): string {
  return JSON.stringify(Object.fromEntries([...record].map(([name, entry]) => [name, stepOf(entry)])));
}

/** What is recorded of a container that is moved once more. */
export function nextStep(last: FallbackStep | undefined, next: Omit<FallbackStep, 'earlier'>): FallbackStep {
  // A record of another image says nothing about this one.
  if (last === undefined || last.to !== next.from) return next;
  return { ...next, earlier: [...(last.earlier ?? []), earlierOf(last)] };
}

/** All steps in their order. */
export function stepsOf(record: FallbackStep): TakenStep[] {
  const steps = [...(record.earlier ?? []), record];
  return steps.map(({ at, from, reason = null }, index) => ({ at, from, to: steps[index + 1]?.from ?? record.to, reason }));
}

interface AnyStep extends Pick<FallbackStep, 'step' | 'from' | 'to' | 'at'> {
  readonly reason?: unknown;
  readonly earlier?: unknown;
}

function isStep(entry: unknown): entry is AnyStep {
  return isEarlierStep(entry) && 'step' in entry && isCount(entry.step) && 'to' in entry && isText(entry.to, maxTextLength);
}

function isEarlierStep(entry: unknown): entry is Pick<AnyStep, 'from' | 'at' | 'reason'> {
  return isObject(entry) && isText(entry['from'], maxTextLength) && isText(entry['at'], maxWord);
}

const plain = new RegExp(`^${plainString}$`);
/** Whether JSON has the text as it is: a decision would not read the record that has another one. */
const isPlain = (text: string): boolean => plain.test(JSON.stringify(text));
const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max && isPlain(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxSteps;

/** Without what it should not have. */
function stepOf(entry: AnyStep): FallbackStep {
  const { step, to, earlier } = entry;
  const { from, at, reason } = earlierOf(entry);
  const steps = Array.isArray(earlier) ? earlier.slice(0, maxSteps).filter(isEarlierStep).map(earlierOf) : [];
  return { step, from, to, at, ...(reason !== undefined && { reason }), ...(steps.length > 0 && { earlier: steps }) };
}

function earlierOf({ from, at, reason }: Pick<AnyStep, 'from' | 'at' | 'reason'>): EarlierStep {
  return { from, at, ...(isText(reason, maxWord) && { reason }) };
}
