/** A reference that a test knows to be good. */
import { parseReference, type Reference } from '../../src/image/reference.ts';

/** @throws where the text is not an image reference */
export function referenceOf(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return parsed.reference;
}
