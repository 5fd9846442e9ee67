/** Damage that keeps JSON readable: values put in the wrong places, members doubled, renamed, taken away and put elsewhere. */
import type { Json } from '../builders/pod.ts';
import { hostileText } from './hostile-values.ts';
import type { Random } from './random.ts';

/** Stands for a text that is put there once the document is text again, so that it need not survive a parser. */
const mark = '\u0001hostile\u0001';
const marked = JSON.stringify(mark);

interface Place {
  readonly parent: { [key: string]: Json } | Json[];
  readonly key: string;
}

/** Every member and element, at any depth. */
export function places(document: Json, found: Place[] = []): Place[] {
  if (typeof document !== 'object' || document === null) return found;
  for (const [key, value] of Object.entries(document)) {
    found.push({ parent: document, key });
    places(value, found);
  }
  return found;
}

/** Defines a member even where its name is `__proto__`, as a parser does. */
export function put({ parent, key }: Place, value: Json): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

export function valueAt({ parent, key }: Place): Json | undefined {
  return Object.getOwnPropertyDescriptor(parent, key)?.value;
}

const strangeKeys = [
  '__proto__',
  'constructor',
  'toString',
  '0',
  '-1',
  '',
  'image',
  'name',
  'containers',
  'spec',
  'Image',
  'image\u0000',
  'a/b~c',
  '\ud800',
] as const;

type Damage = (all: readonly Place[], random: Random) => void;

const damages: readonly [Damage, ...Damage[]] = [
  function replace(all, random) {
    const place = random.pick(all);
    if (place !== undefined) put(place, mark);
  },
  function takeAway(all, random) {
    const place = random.pick(all);
    if (place === undefined) return;
    if (Array.isArray(place.parent)) place.parent.splice(Number(place.key), 1);
    else delete place.parent[place.key];
  },
  function rename(all, random) {
    const place = random.pick(all);
    if (place === undefined || Array.isArray(place.parent)) return;
    const value = valueAt(place) ?? null;
    delete place.parent[place.key];
    put({ parent: place.parent, key: random.pick(strangeKeys) }, value);
  },
  function addMember(all, random) {
    const place = random.pick(all);
    if (place !== undefined && !Array.isArray(place.parent)) put({ parent: place.parent, key: random.pick(strangeKeys) }, mark);
  },
  function copyElsewhere(all, random) {
    const [from, to] = [random.pick(all), random.pick(all)];
    // Cloned first: what lies inside itself has no end.
    if (from !== undefined && to !== undefined) put(to, structuredClone(valueAt(from) ?? null));
  },
  function repeatElement(all, random) {
    const place = random.pick(all.filter(({ parent }) => Array.isArray(parent)));
    if (place !== undefined && Array.isArray(place.parent)) place.parent.push(structuredClone(valueAt(place) ?? null));
  },
];

/** A text of JSON with one to four damages. @param text JSON */
export function damagedDocument(text: string, random: Random): string {
  const document: Json = JSON.parse(text);
  for (let left = 1 + random.below(4); left > 0; left -= 1) random.pick(damages)(places(document), random);
  const whole = JSON.stringify(document).replaceAll(marked, () => hostileText(random));
  return random.once(3) ? withDoubledKey(whole, random) : whole;
}

/** A second member of the same name before one that is there. Which of the two counts must not matter to whether all goes well. */
function withDoubledKey(text: string, random: Random): string {
  const colon = text.indexOf('":', random.below(text.length));
  const open = text.lastIndexOf('"', colon - 1);
  if (colon === -1 || open === -1) return text;
  const key = text.slice(open + 1, colon);
  // The same name in other letters, half of the time.
  const written = random.once(2) ? key : key.replace(/^[a-z]/, (letter) => String.raw`\u00` + letter.charCodeAt(0).toString(16));
  return `${text.slice(0, open)}"${written}":${hostileText(random)},${text.slice(open)}`;
}
