/**
 * Copies the selected fields of a JSON document into a smaller document. All bytes are walked once and checked.
 *
 * A review is mostly managedFields, env and status, which no decision reads. To build and to collect them would cost more than
 * everything else together (docs/design/request-path.md). Pods that are decided alike give the same smaller document, so it is also
 * the key of the remembered decision. Parsing it gives the same as parsing the whole and leaving out the rest: with keys in any order
 * and with escapes, the last of duplicate keys, any white space.
 */
import type { ByteSelection } from './byte-selection.ts';
import { FieldSelector, type IdentitySpans, type SelectOptions } from './field-selector.ts';
import { JsonError, skipSpace } from './json-scanner.ts';

export type Selected =
  | {
      readonly ok: true;
      /** Bytes of the smaller document, at the beginning of `out`. */
      readonly length: number;
      /** Null if one of them occurs twice, is empty or has escapes. */
      readonly identitySpans: IdentitySpans | null;
      /** Bytes of the members of the measured object that are not selected; null if there is no such object. */
      readonly othersLength: number | null;
    }
  | { readonly ok: false; readonly error: JsonError };

export interface JsonBytes {
  /** One byte more than the document, and it 0: every loop then ends at it, and none has to look for the end. */
  readonly bytes: Uint8Array;
  /** Of the document. */
  readonly length: number;
}

/**
 * Of a value of the wrong kind for its selection, only the kind is copied: the reader judges it.
 *
 * @param out where the smaller document is written; `error.reason` is `large` when it does not fit
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
