/** A policy as text whose members have a wrong type: its file and line are told by those that read it, and never by a trace of Helm. */
import { test } from 'tap';

import { render, skipWithoutHelm, template, type Values } from './chart.ts';

const options = { skip: skipWithoutHelm };

const text = (members: string): string => `apiVersion: transship.dev/v1\nkind: RewritePolicy\n${members}\n`;
const registry = (members: string): string => text(`registries: { m: { host: m.example.com, ${members} } }`);
const rule = (members: string): string => text(`rules: [{ name: hub, ${members} }]`);

const policies: readonly (readonly [says: string, policy: string])[] = [
  ['a registry that is a text', text('registries: { m: foo }')],
  ['hostFrom', registry('hostFrom: foo')],
  ['hostFrom.service', registry('hostFrom: { service: foo }')],
  ['the name of a Service', registry('hostFrom: { service: { name: 5, via: [] } }')],
  ['pullSecrets', registry('verify: true, pullSecrets: foo')],
  ['a pull secret', registry('verify: true, pullSecrets: [{ a: b }, 5, null]')],
  ['credentials', registry('credentials: foo')],
  ['rewrite', rule('rewrite: foo')],
  ['as', rule('rewrite: { as: [template] }')],
  ['match', rule('match: foo, alternatives: [{ as: original }]')],
  ['images', rule('match: { images: foo }, alternatives: [{ as: original }]')],
  ['alternatives', rule('alternatives: foo')],
  ['an alternative', rule('alternatives: [foo, null]')],
  ['the image of an alternative', rule('alternatives: [{ image: { a: b } }]')],
  ['the registry of an alternative', rule('alternatives: [{ registry: [m], prefix: {} }]')],
  ['a test', text('tests: [foo, null]')],
  ['the image of a test', text('tests: [{ image: [a], becomes: {} }]')],
];

const all: Values = {
  controller: { features: { fallback: true, verify: true } },
  validatingPolicy: { enabled: true, registries: ['m.example.com'] },
};

test('a member of a wrong type is passed over: most once stopped with a trace of Go', options, async (t) => {
  for (const engine of ['webhook', 'admissionPolicy'])
    for (const [says, inline] of policies) {
      const { code, stderr } = await template({ ...all, engine, rewritePolicy: { inline } });
      t.equal(code, 0, `${engine}, ${says}: ${stderr}`);
    }
});

test('a rule whose name is a number was told as %!s(float64=5)', options, async (t) => {
  const inline = text('rules: [{ name: 5, rewrite: { as: template } }]');
  const { stderr } = await template({ engine: 'admissionPolicy', rewritePolicy: { inline } });
  t.match(stderr, 'rule 1 of the policy has as: template, which no admission policy can express');
});

test('an empty name of a pull secret was a right to read a Secret without a name', options, async (t) => {
  for (const [pullSecrets, names] of [
    ["['']", undefined],
    ["['', one]", ['one']],
  ] as const) {
    const inline = registry(`verify: true, pullSecrets: ${pullSecrets}`);
    const role = (await render({ tls: { mode: 'certManager' }, ...all, rewritePolicy: { inline } })).one('Role', 'transship-controller');
    const rules: readonly { resources: string[]; resourceNames?: string[] }[] = role['rules'];
    t.strictSame(rules.find(({ resources }) => resources.includes('secrets'))?.resourceNames, names);
  }
});
