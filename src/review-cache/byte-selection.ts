/** The fields that decisions read (src/pod/fields.ts, declared beside their readers), prepared for a search in bytes. */
import type { FieldSelection, IdentityName, ObjectFields } from '../pod/fields.ts';

export type ByteSelection = 'scalar' | IdentitySlot | ObjectSelection | ListSelection;

/** A string that identifies one pod. Its position is reported separately, and the smaller document has a placeholder. */
export interface IdentitySlot {
  /** Its index in `IdentitySpans`. */
  readonly slot: number;
}

export interface ObjectSelection {
  readonly members: readonly MemberSelection[];
  /** Key of the member that the others require; null if each is selected by itself. */
  readonly onlyIfPresent: string | null;
  /** Whether the length of the other members is measured. */
  readonly isMeasured: boolean;
}

export interface ListSelection {
  readonly elements: ByteSelection;
}

export interface MemberSelection {
  readonly key: string;
  /** The key in UTF-8, with its quotes and the colon. */
  readonly written: Uint8Array;
  readonly selection: ByteSelection;
}

export const identitySlots: Readonly<Record<IdentityName, number>> = { uid: 0, name: 1, podName: 2, generateName: 3, ownerName: 4 };

const compiled = new WeakMap<object, ByteSelection>();

export function byteSelection(fields: FieldSelection): ByteSelection {
  if (typeof fields === 'string') return fields;
  const known = compiled.get(fields) ?? compile(fields);
  compiled.set(fields, known);
  return known;
}

function compile(fields: Exclude<FieldSelection, string>): ByteSelection {
  if ('identity' in fields) return { slot: identitySlots[fields.identity] };
  if ('elements' in fields) return { elements: byteSelection(fields.elements) };
  return compileObject(fields);
}

function compileObject({ members, onlyIfPresent, isMeasured }: ObjectFields): ObjectSelection {
  const encoder = new TextEncoder();
  return {
    members: Object.entries(members).map(([key, fields]) => ({
      key,
      written: encoder.encode(`${JSON.stringify(key)}:`),
      selection: byteSelection(fields),
    })),
    onlyIfPresent,
    isMeasured,
  };
}
