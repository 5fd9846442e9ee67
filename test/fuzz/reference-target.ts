/** Any text as an image: read when and only when the grammar has it, kept to the letter, the same when it is read again. */
import { canonicalText, parseReference, suffix } from '../../src/image/reference.ts';
import { badReferences, goodReferences } from '../image/corpus.ts';
import { Finding } from './finding.ts';
import { Random } from './random.ts';
import { isReference } from './scanner.ts';

const seeds = [...goodReferences, ...badReferences].map(({ text }) => text) as [string, ...string[]];
/** What references are made of, and what looks like it. */
const pieces = [
  'a',
  'Z',
  '0',
  '.',
  '_',
  '__',
  '-',
  '--',
  '/',
  '//',
  ':',
  '@',
  'localhost',
  'docker.io',
  'index.docker.io',
  'library/',
  ':5000',
  '[::1]',
  '[',
  ']',
  '@sha256:',
  'a'.repeat(64),
  'b'.repeat(128),
  'c/'.repeat(120),
  '\n',
  ' ',
  '\0',
  'é',
  'K',
  'ı',
  '\ud800',
  '%',
] as const;

/** Splices, cuts and inserts whole pieces: single bytes seldom lead from one valid reference to another. */
export function referenceText(random: Random): string {
  let text = random.pick(seeds);
  for (let left = random.below(5); left > 0; left -= 1) {
    const at = random.below(text.length + 1);
    const end = at + random.below(3) * random.below(12);
    const insert = random.once(3) ? '' : random.once(4) ? random.pick(seeds).slice(random.below(20)) : random.pick(pieces);
    text = text.slice(0, at) + insert + text.slice(end);
  }
  return text;
}

export function fuzzReference(seed: number, execution: number): string {
  return checkReference(referenceText(new Random(seed, execution)));
}

/** @returns what became of it; throws a Finding */
export function checkReference(text: string): string {
  const parsed = parseReference(text);
  if (parsed.ok !== isReference(text))
    throw new Finding(`it is ${parsed.ok ? 'read, and no reference' : `a reference, and refused: ${parsed.problem}`}`, text);
  if (!parsed.ok) return 'refused';
  const { reference } = parsed;
  if (reference.text !== text || reference.writtenName + suffix(reference) !== text)
    throw new Finding('what was written is not kept', text);
  const again = parseReference(canonicalText(reference));
  // The longest names of Hub's short form have no longer form.
  if (!again.ok) return canonicalText(reference).length > 1024 ? 'read' : notTheSame(text);
  return again.reference.name === reference.name && again.reference.tag === reference.tag && again.reference.digest === reference.digest
    ? 'read'
    : notTheSame(text);
}

function notTheSame(text: string): never {
  throw new Finding('its canonical text is another image', text);
}
