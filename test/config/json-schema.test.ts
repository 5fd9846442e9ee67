import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { test } from 'tap';
import { parse } from 'yaml';
import { knownKeys, policyJsonSchema } from '../../src/config/json-schema.ts';

const accepts = new Ajv({ strict: false }).compile(policyJsonSchema());
const folder = new URL('../../examples/', import.meta.url);
const head = { apiVersion: 'transship.dev/v1', kind: 'RewritePolicy' };

test('the JSON Schema accepts every example', (t) => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  t.ok(names.length >= 11);
  for (const name of names) {
    const value: unknown = parse(readFileSync(new URL(name, folder), 'utf8'));
    t.ok(accepts(value), `${name}: ${JSON.stringify(accepts.errors)}`);
  }
  t.end();
});

test('the JSON Schema accepts what the loader does', (t) => {
  for (const policy of [
    head,
    { ...head, rules: null, registries: null, tests: null, exclude: null },
    { ...head, registries: { a: { hostFrom: { localRegistryHosting: true } } } },
  ]) {
    t.ok(accepts(policy), JSON.stringify(policy));
  }
  t.end();
});

test('the JSON Schema refuses what an editor should mark', (t) => {
  const rule = { match: { images: ['*'] }, rewrite: { registry: 'a', as: 'path' } };
  const bad: Record<string, unknown> = {
    'no head': {},
    'another version': { ...head, apiVersion: 'v1' },
    'an unknown section': { ...head, rule: [] },
    'an unknown key of a rule': { ...head, rules: [{ ...rule, nam: 'x' }] },
    'a rule without match': { ...head, rules: [{ name: 'x' }] },
    'no images': { ...head, rules: [{ match: { images: [] } }] },
    'no such transform': { ...head, rules: [{ ...rule, rewrite: { registry: 'a', as: 'pth' } }] },
    'a key of another transform': { ...head, rules: [{ ...rule, rewrite: { registry: 'a', as: 'flatten', spelling: 'written' } }] },
    'a transform without registry': { ...head, rules: [{ ...rule, rewrite: { as: 'flatten' } }] },
    'a pattern of no kind': { ...head, exclude: { images: [{ regexp: 'x' }] } },
    'a Secret with a bad name': { ...head, registries: { a: { host: 'a.io', pullSecrets: ['Bad_Name'] } } },
    'a prefix with slashes': { ...head, rules: [{ ...rule, rewrite: { registry: 'a', as: 'path', prefix: '/x/' } }] },
    'an outcome that is none': { ...head, tests: [{ image: 'nginx', outcome: 'done' }] },
    'a list': [],
    nothing: null,
  };
  for (const [title, policy] of Object.entries(bad)) t.equal(accepts(policy), false, title);
  t.end();
});

test('the keys that a message offers', (t) => {
  const table: [(string | number)[], string[]][] = [
    [['exclude'], ['images']],
    [
      ['registries', 'any', 'hostFrom'],
      ['service', 'localRegistryHosting'],
    ],
    [
      ['rules', 3, 'match'],
      ['images', 'exclude', 'namespaces', 'podLabels'],
    ],
    [
      ['rules', 0, 'rewrite'],
      ['as', 'registry', 'prefix', 'collisions', 'spelling', 'repository', 'image', 'template'],
    ],
    [['rules', 0, 'match', 'images', 0], ['regex']],
    [
      ['tests', 0],
      ['image', 'becomes', 'rule', 'outcome', 'pullSecrets', 'namespace', 'podLabels'],
    ],
    [['nowhere', 'at', 'all'], []],
    [['rules', 0, 'name', 'deeper'], []],
    [['kind', 0], []],
  ];
  for (const [path, keys] of table) t.strictSame(knownKeys(path), keys, path.join('.'));
  t.end();
});
