/** Flow collections whose lines stand anywhere, as go-yaml takes them. From one seed always the same text. */
import { generated } from './yaml-writer.ts';

/** A generated manifest with some lines inside brackets begun anew, at any column. */
export function outdented(seed: number): string {
  let state = seed;
  return generated(seed).replaceAll(/[[{][ \t]*(?=[^\]}\n]*[\]}])|,[ \t]+(?=\S)/g, (found) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1;
    return state % 7 === 0 ? `${found.trimEnd()}\n${' '.repeat(state % 5)}` : found;
  });
}
