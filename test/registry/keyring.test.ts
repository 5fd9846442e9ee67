/** What a kubelet makes of pull secrets, against the kubelet's own code: the program `keyring` of the test cluster. */
import { deepEqual } from 'node:assert/strict';

import * as fc from '../random/fast-check.ts';
import { test } from 'tap';

import { Keyring } from '../../src/registry/keyring.ts';
import { readPullSecret } from '../../src/registry/pull-secret.ts';
import { skipWithout } from '../cluster/binaries.ts';
import { askKubelet, shown, type Answer, type Question } from './kubelet.ts';

function ask({ secrets, image }: Question): Answer {
  const readings = secrets.map(({ type, data }) =>
    readPullSecret({
      type,
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
    }),
  );
  if (readings.some(({ result }) => result === 'unreadable')) return { refused: true, credentials: [] };
  const entries = readings.flatMap((reading) => (reading.result === 'read' ? reading.entries : []));
  return { refused: false, credentials: shown(new Keyring(entries).lookup(image)) };
}

// prettier-ignore
const host = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('reg.example.com', '*.example.com', '*', '*.*.*', 'r*g.example.com', 'reg.example.com:5000', '*.example.com:5000', 'docker.io', 'index.docker.io', 'localhost', '*:5000', '[::1]:5000') },
  { weight: 1, arbitrary: fc.constantFrom(
    'Reg.Example.com', 'reg.*.com', 'reg.example.com:', 'reg.example.com:443', 'reg.example.com:x', 'registry-1.docker.io', 'localhost:5000', '[::1]', '10.0.0.1:5000', '',
    ' reg.example.com', 'reg.example.com ', 'user@reg.example.com', 'user:p@ss@reg.example.com', 'a b@reg.example.com', 'reg%2eexample.com', 'reg.example.com%25',
    'rég.example.com', 'reg.?xample.com', 'example.com', 'a.b:1:2', 're[a-z].example.com') },
);
// prettier-ignore
const path = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '/', '/library', '/lib', '/library/', '/library/nginx', '/v1/', '/v2/') },
  { weight: 1, arbitrary: fc.constantFrom(
    '/library/nginx/', '/v1', '/v2/library', '/v1/v2/', '/mirror/team', '/*', '/lib%72ary', '/lib%2572ary', '/lib%', '/library?x=1', '/library%3Fx', '/library#x',
    '/library#%', '//library', '/lib\u0001', '#%zz', '?%zz', '/é', '/%E9') },
);
const address = fc
  .tuple(fc.constantFrom('', '', '', 'https://', 'http://', 'HTTPS://', 'oci://', '//'), host, path)
  .map((parts) => parts.join(''));

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const usual = fc.stringMatching(/^[a-z0-9]{0,3}:[ -~]{0,6}$/).map(base64);
const auth = fc.oneof(
  { weight: 6, arbitrary: usual },
  { weight: 2, arbitrary: usual.map((text) => text.replace(/=+$/, '')) },
  {
    weight: 2,
    arbitrary: fc.tuple(usual, fc.constantFrom('\n', '\r\n')).map(([text, more]) => text.slice(0, 3) + more + text.slice(3) + more),
  },
  { weight: 1, arbitrary: fc.tuple(usual, fc.constantFrom(' ', '\t', '=', '-', '\u00a0')).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.constantFrom('', '\n', 'bm9jb2xvbg==', 'cm9ib3Q6Pj4-Pz8_', '=', '====', 'dTpwZ', 'dTpwZZ==') },
);
const field = fc.constantFrom('username', 'password', 'Username', 'PASSWORD', 'paſſword', 'paßword', 'usernam', 'identitytoken');
/** A member as text, so that names can repeat. */
const member = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(field, fc.string({ maxLength: 4 })) },
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('auth', 'Auth'), auth) },
  { weight: 4, arbitrary: fc.tuple(field, fc.constant(null)) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom('username', 'password', 'auth', 'email', 'identitytoken'),
      fc.constantFrom<unknown>(7, {}, [], true),
    ),
  },
);
const object = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(',\n')}}`;
const entryText = fc.oneof(
  {
    weight: 40,
    arbitrary: fc
      .array(member, { minLength: 1, maxLength: 3 })
      .map((all) => object(all.map(([name, value]) => [name, JSON.stringify(value)]))),
  },
  { weight: 4, arbitrary: fc.constantFrom('null', '{}') },
  { weight: 1, arbitrary: fc.constantFrom('[]', '"x"', '3') },
);
const auths = fc.oneof(
  { weight: 40, arbitrary: fc.array(fc.tuple(address, entryText), { minLength: 1, maxLength: 4 }).map(object) },
  { weight: 2, arbitrary: fc.constantFrom('null', '{}') },
  { weight: 1, arbitrary: fc.constantFrom('[]', '"x"', '{', '1') },
);
const otherMembers: readonly (readonly [string, string])[][] = [
  ...Array.from({ length: 12 }, () => []),
  [['credsStore', '"desktop"']],
  [['credHelpers', '[1]']],
  [['HttpHeaders', '{"a":"b"}']],
  [['HttpHeaders', 'null']],
  [['httpheaders', '{"a":1}']],
];
const authsField = fc.constantFrom('auths', 'auths', 'auths', 'Auths', 'authſ', 'autH', 'auth');
const config = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .tuple(fc.array(fc.tuple(authsField, auths), { minLength: 1, maxLength: 2 }), fc.constantFrom(...otherMembers))
      .map(([members, more]) => object([...members, ...more])),
  },
  { weight: 1, arbitrary: fc.constantFrom('', 'null', '[]', '{}', '\uFEFF{}', '{"auths":{}} x') },
);
const secret = fc.oneof(
  { weight: 8, arbitrary: config.map((text) => ({ type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': text } })) },
  { weight: 3, arbitrary: auths.map((text) => ({ type: 'kubernetes.io/dockercfg', data: { '.dockercfg': text } })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('Opaque', 'kubernetes.io/dockercfg', '__proto__'), config)
      .map(([type, text]) => ({ type, data: { '.dockerconfigjson': text } })),
  },
);
// prettier-ignore
const image = fc.constantFrom(
  'reg.example.com/library/nginx', 'reg.example.com/library', 'reg.example.com/lib', 'reg.example.com:5000/library/nginx', 'Reg.Example.com/library/nginx',
  'docker.io/library/nginx', 'docker.io/acme/app', 'localhost/library/nginx', 'localhost:5000/library/nginx', '[::1]:5000/library/nginx', 'Foo/app',
  '10.0.0.1:5000/mirror/team/app', 'index.docker.io/library/nginx', 'example.com/library/nginx', 'reg.example.com:443/library/nginx', 'reg.example.com/v2/x',
); // prettier-ignore
const question: fc.Arbitrary<Question> = fc.record({ secrets: fc.array(secret, { minLength: 1, maxLength: 3 }), image });

test('any pull secrets and any image: the entries that a kubelet tries', { skip: skipWithout('keyring') }, (t) => {
  const counts = { questions: 0, found: 0, refused: 0 };
  const property = fc.property(fc.array(question, { minLength: 1, maxLength: 400, size: 'max' }), (asked) => {
    const expected = askKubelet(asked);
    for (const [index, each] of asked.entries()) {
      const want = expected[index];
      const got = ask(each);
      counts.questions += 1;
      counts.found += got.credentials.length > 0 ? 1 : 0;
      counts.refused += got.refused ? 1 : 0;
      // Entries that Go files under one key come in the random order of its maps.
      deepEqual(
        { ...got, credentials: got.credentials.toSorted() },
        { ...want, credentials: want?.credentials.toSorted() },
        JSON.stringify(each),
      );
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }));
  t.comment(`${counts.questions} questions, ${counts.found} with credentials, ${counts.refused} refused`);
  t.ok(counts.found > counts.questions / 20 && counts.refused > counts.questions / 20, 'the questions are of both kinds');
  t.end();
});

test('entries are tried in the order of the kubelet: the longest path of a host first', { skip: skipWithout('keyring') }, (t) => {
  const keys = [
    'reg.example.com',
    '*',
    '*.example.com',
    'r*g.example.com',
    '*.*.*',
    ...['/lib', '/library', '/library/nginx', '/library/'].map((tail) => `reg.example.com${tail}`),
  ];
  const property = fc.property(
    fc.array(fc.uniqueArray(fc.constantFrom(...keys)), { minLength: 1, maxLength: 200, size: 'max' }),
    (lists) => {
      const asked = lists.map((list) => ({
        secrets: [
          {
            type: 'kubernetes.io/dockercfg',
            data: { '.dockercfg': JSON.stringify(Object.fromEntries(list.map((key) => [key, { username: key }]))) },
          },
        ],
        image: 'reg.example.com/library/nginx',
      }));
      deepEqual(asked.map(ask), askKubelet(asked));
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 20 }));
  t.end();
});
