/** The output of `explain`: a line of JSON per decision, or aligned columns. */
import type { Outcome } from '../policy/outcome.ts';
import { outcomes } from '../policy/outcome.ts';
import { referenceOf } from '../image/reference.ts';
import { joined, jsonText, ownText, printable, printed, type Printable } from '../text/printable.ts';
import type { Decided, Place } from './decisions.ts';
import { coloured, type Output } from './output.ts';
import { count } from './manifest-input.ts';

/** The keys and their order are a contract. */
export function jsonLine({ decision, place }: Decided): Printable {
  const { image, outcome, rule, result, pullSecrets, reason } = decision;
  const alternatives = decision.alternatives.map((each) => ({ target: each.target, image: each.image, problem: each.problem }));
  const reference = referenceOf(image);
  const parts = { image, name: reference?.name ?? null, tag: reference?.tag ?? null, digest: reference?.digest ?? null };
  const where = place === null ? {} : whereOf(place);
  return printed`${jsonText({ ...parts, outcome, rule, result, pullSecrets, reason, alternatives, ...where })}\n`;
}

function whereOf({ manifest, pointer, line, kind, objectName, namespace }: Place): Omit<Place, 'column'> {
  return { manifest, pointer, line, kind, objectName, namespace };
}

const colours: Partial<Record<Outcome, 'green' | 'red'>> = { rewritten: 'green', invalid: 'red', refused: 'red' };

export interface ExplanationTable {
  readonly head: Printable;
  readonly row: (decided: Decided) => Printable;
  /** Long lists: one heading per outcome and rule, each image once with its positions. */
  readonly grouped: (all: readonly Decided[]) => Printable;
}

/**
 * Narrow columns first; long values are in the last one, below each other, so that names of any length stay readable and rows can be
 * printed as they come.
 *
 * @param rules names of all rules, for the width of their column
 * @param output used to decide about colour: only on a terminal, and not if NO_COLOR is set
 */
export function explanationTable(rules: readonly string[], output: Output): ExplanationTable {
  const outcomeWidth = Math.max(...outcomes.map((outcome) => outcome.length)) + 2;
  const ruleWidth = Math.max('RULE'.length, ...rules.map((rule) => printable(rule).length)) + 2;
  const indent = printable(' '.repeat(outcomeWidth + ruleWidth));
  const lines = (texts: readonly string[]): Printable => joined(texts.map(printable), `\n${indent}`);
  return {
    head: printed`${'OUTCOME'.padEnd(outcomeWidth)}${'RULE'.padEnd(ruleWidth)}IMAGE\n`,
    row: (decided) => joined([outcomeAndRule(decided), lines(details(decided)), newline]),
    grouped: (all) => joined([...groupsOf(all).values()].map(group)),
  };

  function outcomeAndRule({ decision: { outcome, rule } }: Decided): Printable {
    const padded = printable(outcome.padEnd(outcomeWidth));
    const colour = colours[outcome];
    const shown = colour === undefined ? padded : coloured(output, colour, padded);
    return joined([shown, printable(printable(rule ?? '-').padEnd(ruleWidth))]);
  }

  function group(decided: readonly Decided[]): Printable {
    const [first] = decided;
    if (first === undefined) return printable('');
    const images = [...Map.groupBy(decided, ({ decision: { image, result, reason } }) => JSON.stringify([image, result, reason])).values()];
    const heading = printed`${count(images.length, 'image')} in ${count(decided.length, 'place')}\n`;
    const rows = images.map((same) => joined([indent, lines(imageInPlaces(same)), newline]));
    return joined([outcomeAndRule(first), heading, ...rows]);
  }
}

const newline = ownText('\n');

function groupsOf(all: readonly Decided[]): Map<string, Decided[]> {
  const groups = Map.groupBy(all, ({ decision: { outcome, rule } }) => `${outcome} ${rule ?? ''}`);
  return new Map([...groups].toSorted(([a], [b]) => outcomeIndex(a) - outcomeIndex(b)));
}

function outcomeIndex(group: string): number {
  return outcomes.findIndex((outcome) => group.startsWith(`${outcome} `));
}

const maxPlaces = 3;

function imageInPlaces(same: readonly Decided[]): string[] {
  const [first] = same;
  if (first === undefined) return [];
  const places = same.flatMap(({ place }) => (place === null ? [] : [place]));
  const more = places.length > maxPlaces ? [`  and ${places.length - maxPlaces} more`] : [];
  return [
    ...details({ decision: first.decision, place: null }),
    ...places.slice(0, maxPlaces).map((place) => `  ${describePlace(place)}`),
    ...more,
  ];
}

function details({ decision: { image, result, pullSecrets, reason, alternatives }, place }: Decided): string[] {
  return [
    image,
    ...(result === null ? [] : [`-> ${result}`]),
    ...alternatives.map(({ target, image: other, problem }) => `or else ${other ?? `nothing at ${target}: ${problem}`}`),
    reason,
    ...(pullSecrets.length === 0 ? [] : [`pull secrets: ${pullSecrets.join(', ')}`]),
    ...(place === null ? [] : [describePlace(place)]),
  ];
}

function describePlace({ manifest, line, kind, objectName, namespace, pointer }: Place): string {
  return `at ${manifest}:${line}, ${kind}/${objectName} in ${namespace}, ${pointer}`;
}
