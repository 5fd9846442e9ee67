import { array, assert as check, constantFrom, dictionary, property, record, string, stringMatching } from '../../random/fast-check.ts';
import { test } from 'tap';
import { parseChallenges } from '../../../src/registry/distribution/challenge.ts';

type Expected = readonly (readonly [scheme: string, parameters: Readonly<Record<string, string>>])[];

const bearer = { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:library/nginx:pull' };

const cases: readonly (readonly [title: string, header: string | readonly string[] | undefined, expected: Expected])[] = [
  [
    'Docker Hub',
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"',
    [['bearer', bearer]],
  ],
  ['Distribution with htpasswd', 'Basic realm="Registry Realm"', [['basic', { realm: 'Registry Realm' }]]],
  [
    'Azure: blanks after commas',
    'Bearer realm="https://x.azurecr.io/oauth2/token", service="x.azurecr.io"',
    [['bearer', { realm: 'https://x.azurecr.io/oauth2/token', service: 'x.azurecr.io' }]],
  ],
  [
    'two challenges in one line',
    'Bearer realm="https://a/t",service="a", Basic realm="a"',
    [
      ['bearer', { realm: 'https://a/t', service: 'a' }],
      ['basic', { realm: 'a' }],
    ],
  ],
  [
    'two lines',
    ['Basic realm="a"', 'Bearer realm="https://a/t"'],
    [
      ['basic', { realm: 'a' }],
      ['bearer', { realm: 'https://a/t' }],
    ],
  ],
  [
    'schemes without parameters, and with a token68',
    'Negotiate YWJj==, Basic, NTLM',
    [
      ['negotiate', {}],
      ['basic', {}],
      ['ntlm', {}],
    ],
  ],
  [
    'names in any case, blanks around the equals sign, a plain value',
    'BEARER Realm = "https://a/t" , SERVICE=a',
    [['bearer', { realm: 'https://a/t', service: 'a' }]],
  ],
  ['quoted pairs and commas in a value', String.raw`Basic realm="a, \"b\" \\ c"`, [['basic', { realm: String.raw`a, "b" \ c` }]]],
  ['the first of two values counts', 'Bearer realm="https://a/t",realm="https://evil/t"', [['bearer', { realm: 'https://a/t' }]]],
  [
    'an error of RFC 6750',
    'Bearer error="invalid_token", realm="https://a/t"',
    [['bearer', { error: 'invalid_token', realm: 'https://a/t' }]],
  ],
  ['empty elements of the list', ',, Basic realm="a",,', [['basic', { realm: 'a' }]]],
  ['no header', undefined, []],
  ['an empty header', '', []],
  ['a value that does not end', 'Bearer realm="https://a/t', [['bearer', {}]]],
  ['a realm without quotes is no token', 'Bearer realm=https://a/t', [['bearer', {}]]],
  ['parameters without a scheme', 'realm="https://a/t"', []],
  ['no header of HTTP', '<html>', []],
];

for (const [title, header, expected] of cases)
  test(title, (t) => {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
    t.strictSame(found, expected);
    t.end();
  });

const written = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

test('what is written as the grammar has it is read back', (t) => {
  const name = stringMatching(/^[a-z][a-z-]{0,8}$/);
  const value = string({ unit: constantFrom('a', 'Z', '/', ':', ',', '"', '\\', ' ', '='), maxLength: 12 });
  const challenge = record(
    { scheme: name, parameters: dictionary(name, value, { maxKeys: 4, noNullPrototype: true }) },
    { noNullPrototype: true },
  );
  check(
    property(array(challenge, { maxLength: 3 }), (challenges) => {
      const header = challenges
        .map(({ scheme, parameters }) => {
          const list = Object.entries(parameters).map(([key, each]) => `${key}=${written(each)}`);
          return `${scheme} ${list.join(', ')}`.trim();
        })
        .join(', ');
      const found = parseChallenges(header).map(({ scheme, parameters }) => ({ scheme, parameters: Object.fromEntries(parameters) }));
      t.strictSame(found, challenges);
    }),
  );
  t.end();
});

test('any text ends, and soon', (t) => {
  check(property(string(), (text) => parseChallenges(text).length >= 0));
  for (const text of ['Basic a="', ', ', 'a', 'a=', 'a a="\\'])
    t.ok(parseChallenges(text.repeat(100_000 / text.length)).length >= 0, JSON.stringify(text));
  t.end();
});
