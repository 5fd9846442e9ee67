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

/** Longer ones were not written by transship: a pod has at most some dozens of containers, and a name at most 255 characters. */
export const maxFallbackLength = 64 * 1024;
/** Likewise. A rule has a handful of alternatives. */
const maxSteps = 100;
const maxWord = 64;

/** Entries of another form are left out. */
export function parseFallback(text: string | null): FallbackRecord {
  if (text === null || text.length > maxFallbackLength) return new Map();
  try {
    const value: unknown = JSON.parse(text);
    return new Map(isObject(value) ? Object.entries(value).flatMap(([name, entry]) => (isStep(entry) ? [[name, stepOf(entry)]] : [])) : []);
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

const isText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max;
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
