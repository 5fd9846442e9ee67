/**
 * Copies the selected fields of a JSON document into a smaller document. Every byte is read once and validated.
 *
 * A review is mostly managedFields, env and status, which no decision reads. Building and collecting them as objects would cost more than
 * everything else together (docs/design/request-path.md). Pods with the same decision give the same smaller document, so it is also the key
 * of the cached decision. Parsing it gives the same result as parsing the whole and dropping the rest: with keys in any order and with
 * escapes, the last of duplicate keys, any white space.
 */
import type { ByteSelection } from './byte-selection.ts';
import { FieldSelector, type IdentitySpans, type SelectOptions } from './field-selector.ts';
import { JsonError, skipSpace } from './json-scanner.ts';

export type Selected =
  | {
      readonly ok: true;
      /** Bytes of the smaller document, at the start of `out`. */
      readonly length: number;
      /** Null if one of them occurs twice, is empty or has escapes. */
      readonly identitySpans: IdentitySpans | null;
      /** Bytes of the unselected members of the measured object; null if there is no such object. */
      readonly othersLength: number | null;
    }
  | { readonly ok: false; readonly error: JsonError };

export interface JsonBytes {
  /** The document followed by a zero byte: every loop ends at it, so none has to check for the end. */
  readonly bytes: Uint8Array;
  /** Length of the document. */
  readonly length: number;
}

/**
 * Of a value of another type than selected, only the type is copied; the reader handles it.
 *
 * @param out receives the smaller document; `error.reason` is `large` if it does not fit
 */
export function selectFields(
  { bytes, length }: JsonBytes,
  selection: ByteSelection,
  out: Uint8Array,
  options: SelectOptions = {},
): Selected {
  const selector = new FieldSelector(bytes, out, options);
  try {
    const end = skipSpace(bytes, selector.value(0, selection));
    if (end !== length) return { ok: false, error: new JsonError('broken', end) };
    return { ok: true, length: selector.length, identitySpans: selector.identitySpans, othersLength: selector.othersLength };
  } catch (error) {
    if (error instanceof JsonError) return { ok: false, error };
    throw error;
  }
}
