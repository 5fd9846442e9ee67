/** What is compared with what, of one number of rules and containers. */
import type { Measured } from '../creates.ts';
import type { Figure, Round } from '../figure.ts';
import type { Case } from './cluster-policies.ts';

export type VariantName =
  | 'no admission'
  | 'constant policy'
  | 'fixed webhook'
  | 'compiled policy'
  | 'compiled policy with --match-images'
  | 'webhook'
  | 'compiled policy, unconcerned'
  | 'compiled policy with --match-images, unconcerned'
  | 'webhook, unconcerned'
  | 'webhook with match condition, unconcerned';

/** The second is the reference. */
const pairs: readonly (readonly [VariantName, VariantName])[] = [
  ['constant policy', 'no admission'],
  ['fixed webhook', 'no admission'],
  ['compiled policy', 'constant policy'],
  ['compiled policy', 'webhook'],
  ['compiled policy with --match-images', 'constant policy'],
  ['compiled policy with --match-images', 'webhook'],
  ['compiled policy, unconcerned', 'no admission'],
  ['compiled policy, unconcerned', 'webhook, unconcerned'],
  ['compiled policy with --match-images, unconcerned', 'no admission'],
  ['compiled policy with --match-images, unconcerned', 'webhook, unconcerned'],
  ['webhook, unconcerned', 'no admission'],
  ['webhook with match condition, unconcerned', 'no admission'],
];

export function figuresOf({ rules, containers }: Case, measured: ReadonlyMap<VariantName, readonly Measured[]>): Figure[] {
  const roundsOf = (name: VariantName): readonly Measured[] => measured.get(name) ?? [];
  const present = pairs.filter(([name, reference]) => measured.has(name) && measured.has(reference));
  return present.flatMap(([name, reference]) => {
    const figure = (what: string, unit: string, value: (each: Measured) => number): Figure => ({
      suite: 'cluster',
      name: `${rules} rules, ${containers} containers, ${name} beside ${reference}: ${what}`,
      unit,
      reference,
      rounds: roundsOf(name).flatMap((each, index): Round[] => {
        const other = roundsOf(reference)[index];
        return other === undefined ? [] : [{ value: value(each), reference: value(other) }];
      }),
    });
    return [
      figure('pod creates', 'pods/s', ({ rate }) => rate),
      figure('CPU of API server and webhook a pod', 'µs', ({ apiServer, webhook }) => apiServer + webhook),
    ];
  });
}
