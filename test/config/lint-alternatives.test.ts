/** What lint says about alternatives. */
import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import { loadPolicy } from '../../src/config/load.ts';

const head = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example }
  other: { host: other.example/team }
`;

/** Every finding of the policy: line, column, severity and a part of the message. */
type Row = readonly [title: string, text: string, findings: readonly string[]];

function rule(name: string, images: string, rest: string): string {
  return `  - { name: ${name}, match: { images: ${images} }, ${rest} }\n`;
}

const hub = 'rewrite: { registry: mirror, as: path, collisions: accept }, alternatives';
const rows: readonly Row[] = [
  [
    'to another registry, and to the image as written',
    rule('a', '[docker.io]', `${hub}: [{ registry: other, as: path }, { as: original }]`),
    [],
  ],
  [
    'an unknown registry',
    rule('a', '[docker.io]', `${hub}: [{ registry: others, as: path }]`),
    ['7:136: error: rule a: registry others is not defined; did you mean other?'],
  ],
  [
    'the first target again, and an alternative again',
    rule(
      'a',
      '[docker.io]',
      `${hub}: [{ registry: mirror, as: path }, { registry: other, as: path }, { as: original }, { registry: other, as: path }]`,
    ),
    [
      '7:124: warning: rule a: it gives images the same names as rewrite, so it is never tried; remove it',
      '7:205: warning: rule a: it gives images the same names as entry 2 of alternatives, so it is never tried; remove it',
    ],
  ],
  [
    'where the images come from: the rule would do nothing',
    rule('a', '[other.example/team/app]', `${hub}: [{ registry: other, as: path }]`),
    ['where rule a writes to, so its images are already there; for the image as written the alternative is { as: original }'],
  ],
  [
    'a name that is rewritten again',
    rule(
      'a',
      "[{ regex: '^quay\\.io/(.*)$' }]",
      `rewrite: { registry: mirror, as: path }, alternatives: [{ as: template, template: 'quay.io/x/$1' }]`,
    ),
    ['error: rule a: quay.io/sample would become quay.io/x/sample, but rule a would rewrite that again'],
  ],
  [
    'a name that cannot be',
    rule('a', "['quay.io:5000']", `${hub}: [{ registry: other, as: fullName }]`),
    ['7:129: warning: rule a: no image of the rule has a name there'],
  ],
  [
    'two images with one name',
    rule('a', '[quay.io/acme/app]', `${hub}: [{ registry: other, as: flatten }]`) +
      rule('b', '[ghcr.io/team/app]', `rewrite: { registry: mirror, as: fullName }, alternatives: [{ registry: other, as: flatten }]`),
    ['warning: rule b: ghcr.io/team/app and quay.io/acme/app (rule a) both become other.example/team/app'],
  ],
  [
    'without a first target',
    rule('a', '[docker.io]', 'pullSecrets: [x], alternatives: [{ as: original }]'),
    ['error: rule a: alternatives come after the target of rewrite; this rule has no rewrite'],
  ],
  [
    'tags that may name other content',
    rule('a', '[docker.io]', `${hub}: [{ as: original }], onMutableTag: fallBack`),
    ['7:157: note: rule a: images that are named by tag may be others in the registries of its alternatives'],
  ],
  [
    'onMutableTag without alternatives',
    rule('a', '[docker.io]', 'rewrite: { registry: mirror, as: path }, onMutableTag: fallBack'),
    ['error: rule a: onMutableTag is about alternatives; this rule has none'],
  ],
  [
    'the image as written is for alternatives',
    rule('a', '[docker.io]', 'rewrite: { as: original }'),
    ['error: rule a: as: original is the image as written; only an entry of alternatives has it'],
  ],
  [
    'a transform that is not known',
    rule('a', '[docker.io]', `${hub}: [{ as: originl }]`),
    ['error: rule a: as: originl is unknown; did you mean original?'],
  ],
];

for (const [title, rules, expected] of rows)
  test(title, (t) => {
    const lines = loadPolicy(`${head}rules:\n${rules}`, 'policy.yaml').findings.map(formatFinding);
    t.equal(lines.length, expected.length, lines.join(' | '));
    for (const [index, words] of expected.entries()) t.ok(lines[index]?.includes(words), lines[index] ?? 'none');
    t.end();
  });
