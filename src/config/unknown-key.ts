/** The remedy for an unknown key of a policy: the nearest known key, where it belongs, or its equivalent. */
import { nearest } from '../rules/nearest.ts';
import { knownKeys, placesOf } from './json-schema.ts';

type Path = readonly (string | number)[];

/** Settings that people look for in a policy and that are configured elsewhere. */
const elsewhere: readonly { readonly at: RegExp; readonly key: RegExp; readonly remedy: string }[] = [
  {
    at: /^(exclude)?$/,
    key: /^(exclude)?namespaces?(selector)?$/i,
    remedy: "namespaces stay out by the label transship.dev/rewrite: disabled or by the chart's excludeNamespaces",
  },
  { at: /^(exclude|rules\.match)$/, key: /^namespaceselector$/i, remedy: 'list namespaces by name: namespaces: [team-*]' },
  { at: /^$/, key: /^metadata$/, remedy: 'a policy is a file, not an object of the cluster; remove it' },
  { at: /^$/, key: /^spec$/, remedy: 'registries, rules and exclude are top-level keys; remove spec' },
];

/** @param path of the map that contains the key */
export function describeUnknownKey(key: string, path: Path): string {
  const place = path.filter((step) => typeof step === 'string').join('.');
  const special = elsewhere.find((entry) => entry.at.test(place) && entry.key.test(key));
  if (special !== undefined) return `unknown key ${key}; ${special.remedy}`;
  const known = knownKeys(path);
  const near = nearest(key, known);
  if (near !== null) return `unknown key ${key}; did you mean ${near}?`;
  const belongs = placesOf(key, path);
  const hint = belongs === null ? '' : `; it belongs ${belongs}`;
  return `unknown key ${key}${hint}; known keys here are ${known.join(', ')}`;
}
