/** Random RE2 expressions over the letters of images, with the syntax that is sure to mean the same in every implementation. */
import * as fc from '../random/fast-check.ts';

const letters = ['a', 'c', 'm', 'p', 'x', '1', 'acme', 'app', 'nginx', '/', ':', '@', '-', '_', '.'] as const;
const classes = [
  '[a-c]',
  '[^/]',
  '[^/:@]',
  '[a-z0-9._-]',
  '[[:alpha:]]',
  '[[:^digit:]]',
  String.raw`[\w.-]`,
  String.raw`[^\d]`,
  '[]a]',
  '[^]a]',
  '[a^-]',
] as const;
const escapes = ['.', '-', '/', 'w', 'W', 'd', 'D', 'S', 'b', 'B', 'A', 'z', 'x61'].map((character) => `\\${character}`);
const others = [
  '^',
  '$',
  String.raw`docker\.io`,
  String.raw`quay\.io/`,
  'library',
  '(?i)ACME',
  '(?s).',
  '(?m)^',
  '(?i:QUAY)',
  '()',
] as const;
const atom = fc.constantFrom(...letters, ...classes, ...escapes, ...others);
const quantifier = fc.constantFrom('', '', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,}', '{0,2}', '{1,3}?', '{,2}');
const group = fc.constantFrom('(', '(?:', '(?P<name>', '(?i:', '(?s:');

const { sequence } = fc.letrec<{ sequence: string; term: string; grouped: string }>((tie) => ({
  sequence: fc
    .tuple(
      fc.array(tie('term'), { minLength: 1, maxLength: 4 }).map((terms) => terms.join('')),
      fc.option(tie('sequence'), { freq: 6, nil: undefined }),
    )
    .map(([one, other]) => (other === undefined ? one : `${one}|${other}`)),
  term: fc.tuple(fc.oneof({ maxDepth: 2 }, atom, tie('grouped')), quantifier).map((parts) => parts.join('')),
  grouped: fc.tuple(group, tie('sequence')).map(([open, inner]) => `${open}${inner})`),
}));

export const expression: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: sequence },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(String.raw`^docker\.io/`, String.raw`^quay\.io/`, '^Quay[.]io/', '^[^/]+/'), sequence)
      .map((parts) => parts.join('')),
  },
);
