/** Types of flags: how the text of a flag is parsed, and the message for text that is not valid. */
import { nearest } from '../rules/nearest.ts';

/** Text that a flag does not accept. */
export class Unfit {
  /** The invalid part. */
  readonly text: string;
  readonly remedy: string | null;

  constructor(text: string, remedy: string | null = null) {
    this.text = text;
    this.remedy = remedy;
  }
}

export interface FlagType<Value> {
  /** Placeholder of the value in help texts: `FILE`. */
  readonly argument: string;
  /** What is accepted, for messages: `a whole number from 0 to 65535`. */
  readonly expects: string;
  /** All accepted values, if they are a list: for completion. */
  readonly values?: readonly string[];
  readonly read: (text: string) => Value | Unfit;
}

/** Any text; an empty one counts as not given. */
export function anyText(argument: string): FlagType<string> {
  return { argument, expects: `a ${argument}`, read: (text) => text };
}

export function oneOf<const T extends string>(argument: string, known: readonly T[]): FlagType<T> {
  const read = (text: string): T | Unfit => {
    const found = known.find((candidate) => candidate === text);
    if (found !== undefined) return found;
    const near = nearest(text, known);
    return new Unfit(text, near === null ? null : `did you mean ${near}?`);
  };
  return { argument, expects: known.length > 2 ? `one of ${known.join(', ')}` : known.join(' or '), values: known, read };
}

export const trueOrFalse: FlagType<boolean> = {
  argument: 'BOOL',
  expects: 'true or false',
  values: ['true', 'false'],
  read: (text) => (text === 'true' ? true : text === 'false' ? false : new Unfit(text)),
};

/** Both bounds included. */
export function wholeNumber(argument: string, min: number, max: number): FlagType<number> {
  const read = (text: string): number | Unfit => {
    const number = Number(text);
    return /^\d+$/.test(text) && number >= min && number <= max ? number : new Unfit(text);
  };
  return { argument, expects: `a whole number from ${min} to ${max}`, read };
}

export const portNumber = wholeNumber('N', 0, 65_535);

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In milliseconds, greater than 0. */
export const duration: FlagType<number> = {
  argument: 'TIME',
  expects: 'a time such as 45s, 30m, 12h or 90d',
  read: (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
    const milliseconds = Number(digits) * (units[unit] ?? 0);
    return milliseconds > 0 ? milliseconds : new Unfit(text);
  },
};

/** Comma separated; blanks around entries and empty entries are ignored. */
export function listOf<Value>(entry: FlagType<Value>): FlagType<readonly Value[]> {
  const read = (text: string): readonly Value[] | Unfit => {
    const values: Value[] = [];
    for (const word of text.split(',').map((part) => part.trim())) {
      if (word === '') continue;
      const value = entry.read(word);
      if (value instanceof Unfit) return value;
      values.push(value);
    }
    return values;
  };
  return { argument: 'LIST', expects: entry.expects.replace(/^one of /, ''), read };
}

/** Split at the first `=`. */
export const keyValue: FlagType<readonly [key: string, value: string]> = {
  argument: 'KEY=VALUE',
  expects: 'KEY=VALUE',
  read: (text) => {
    const equals = text.indexOf('=');
    return equals < 1 ? new Unfit(text) : [text.slice(0, equals), text.slice(equals + 1)];
  },
};
