/** The good and bad references of test/corpus/references, with their repetitions written out. */
import { readFileSync } from 'node:fs';

export interface GoodReference {
  readonly text: string;
  readonly name: string;
  readonly familiar: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

export interface BadReference {
  readonly text: string;
  readonly problem: string;
}

export const goodReferences: readonly GoodReference[] = read('good.json') as GoodReference[];
export const badReferences: readonly BadReference[] = read('bad.json') as BadReference[];

function read(file: string): unknown {
  const text = readFileSync(new URL(`../corpus/references/${file}`, import.meta.url), 'utf8');
  return JSON.parse(text, (_key, value) => (typeof value === 'string' ? writtenOut(value) : value));
}

/** `{x*3}` is `xxx`. */
function writtenOut(text: string): string {
  return text.replaceAll(/\{([^{}*]+)\*(\d+)\}/g, (_all, repeated: string, times: string) => repeated.repeat(Number(times)));
}
