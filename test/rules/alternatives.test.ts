/** The alternatives of a rule: what a pod gets for them, and that an image under one stays there. */
import { test } from 'tap';
import type { ImageDecision } from '../../src/rules/decision.ts';
import { decider, type PolicyInput } from './policy.ts';

interface Row {
  readonly image: string;
  readonly is: Partial<ImageDecision>;
}

function table(title: string, policy: PolicyInput, rows: readonly Row[]): void {
  test(title, (t) => {
    const decide = decider(policy);
    for (const { image, is } of rows) {
      const decision = decide(image);
      const keys = Object.keys(is) as (keyof ImageDecision)[];
      t.strictSame(Object.fromEntries(keys.map((key) => [key, decision[key]])), is, image);
    }
    t.end();
  });
}

const first = { as: 'path', registry: 'first' } as const;
const severalPlaces: PolicyInput = {
  registries: {
    first: { host: 'first.example', pullSecrets: ['one'] },
    second: { host: 'second.example', pullSecrets: ['two'] },
    later: { hostFrom: { localRegistryHosting: true }, pullSecrets: ['later'] },
    named: { host: 'images.example', pullSecrets: ['three', 'one'] },
  },
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io/library'] },
      rewrite: first,
      alternatives: [
        { as: 'fullName', registry: 'second', prefix: 'mirror' },
        { as: 'path', registry: 'later' },
        { as: 'path', registry: 'first' },
        { as: 'image', image: 'images.example/base', registry: 'named' },
        { as: 'original' },
      ],
      pullSecrets: ['own'],
    },
    { name: 'secured', match: { images: ['second.example/mirror/docker.io/library/redis'] }, pullSecrets: ['redis'] },
    {
      name: 'ports',
      match: { images: ['quay.io:5000'] },
      rewrite: first,
      alternatives: [{ as: 'fullName', registry: 'second', prefix: 'mirror' }],
    },
  ],
};

table('a pod gets the first target, and the pull secrets of every alternative', severalPlaces, [
  {
    image: 'nginx:1',
    is: {
      result: 'first.example/library/nginx:1',
      pullSecrets: ['one', 'own', 'two', 'three'],
      alternatives: [
        { target: 'second', image: 'second.example/mirror/docker.io/library/nginx:1', pullSecrets: ['two', 'own'], problem: null },
        { target: 'later', image: null, pullSecrets: [], problem: 'the host of registry later is not resolved' },
        { target: 'first', image: null, pullSecrets: [], problem: 'first.example/library/nginx:1 was tried before' },
        { target: 'named', image: 'images.example/base:1', pullSecrets: ['three', 'one', 'own'], problem: null },
        { target: 'original', image: 'nginx:1', pullSecrets: ['own'], problem: null },
      ],
    },
  },
  { image: 'redis', is: { pullSecrets: ['one', 'own', 'two', 'redis', 'three'] } },
  {
    image: 'quay.io:5000/app',
    is: {
      result: 'first.example/app',
      alternatives: [
        {
          target: 'second',
          image: null,
          pullSecrets: [],
          problem: 'the source host quay.io:5000 has a port, which cannot be inside a path; use as: path with a prefix, or as: template',
        },
      ],
    },
  },
]);

table('an image under an alternative is already there, with the secrets of that place', severalPlaces, [
  {
    image: 'second.example/mirror/docker.io/library/nginx:1',
    is: { outcome: 'already-there', code: 'under-target', pullSecrets: ['two'], alternatives: [] },
  },
  { image: 'images.example/base:1', is: { outcome: 'already-there', pullSecrets: ['three', 'one'] } },
  { image: 'second.example/app', is: { outcome: 'no-rule' } },
]);

table(
  'an alternative that a rule would rewrite again has no image',
  {
    registries: { mirror: { host: 'mirror.example' } },
    rules: [
      {
        name: 'a',
        match: { images: [{ regex: '^quay\\.io/(.*)$' }] },
        rewrite: { as: 'template', template: 'mirror.example/$1' },
        alternatives: [{ as: 'template', template: 'quay.io/copies/$1' }],
      },
    ],
  },
  [
    {
      image: 'quay.io/app:1',
      is: {
        result: 'mirror.example/app:1',
        alternatives: [
          {
            target: 'template',
            image: null,
            pullSecrets: [],
            problem: 'it would be quay.io/copies/app:1, but rule a would rewrite that again to mirror.example/copies/app:1',
          },
        ],
      },
    },
  ],
);
