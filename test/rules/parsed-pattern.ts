/** A pattern that a test knows to be good. */
import type { PatternSource } from '../../src/policy/types.ts';
import { parsePattern, type Pattern } from '../../src/rules/pattern.ts';

/** @throws where the source is refused */
export function patternOf(source: PatternSource): Pattern {
  const parsed = parsePattern(source);
  if (!parsed.ok) throw new Error(`${JSON.stringify(source)}: ${parsed.problem}`);
  return parsed.pattern;
}
