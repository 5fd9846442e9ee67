/** The reviews that each webhook gets. */
import { messageOf, type Message } from '../load.ts';
import type { Difference } from '../reviews.ts';

export interface Case {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly difference: Difference;
}

const sizes: readonly (readonly [name: string, bytes: number])[] = [
  ['4 KB', 3_500],
  ['8 KB', 8_800],
  ['60 KB', 60_000],
];

/** Repeated: the pods of one ReplicaSet. New images: every name and image of a pod was never seen before. */
export const cases: readonly Case[] = sizes.flatMap(([name, size]) => [
  { name: `${name}, repeated`, size, difference: 'replicas' as const },
  { name: `${name}, new images`, size, difference: 'images' as const },
]);

export function messagesOf(wanted: readonly Case[]): ReadonlyMap<string, Message> {
  return new Map(wanted.map(({ name, size, difference }) => [name, messageOf({ size }, difference)]));
}
