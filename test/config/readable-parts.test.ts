/** Errors of the parts of a policy whose shape is right, beside those of the shape. */
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { formatFinding } from '../../src/errors/finding.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
const findings = (text: string): string[] => loadPolicy(text, 'policy.yaml').findings.map(formatFinding);

test('errors of the shape hid those of other parts: all are told, in the order of the file', (t) => {
  const text = `${head}registries:
  mirror: { host: 'https://a.io', pullSecrets: [a..b] }
  other: { host: https://b.io }
rules:
  - { name: one, match: { images: [nginx] }, rewrite: { registry: othr, as: path } }
  - { name: two, match: { images: [docker.io] }, rewrite: { registry: mirror, as: pth }, pullPolicy: Always }
  - { name: two, match: { images: [quay.io], exclude: nginx }, rewrite: { registry: nowhere, as: path } }
tests: [{ image: nginx }]
rulez: []
`;
  t.match(
    findings(text).map((line) => line.replace('policy.yaml:', '')),
    [
      /^4:49: error: .*the name of a Secret/,
      /^5:18: error: host of registry other: write the host without a scheme/,
      /^7:36: error: rule one: the host is missing/,
      /^7:67: error: rule one: registry othr is not defined; did you mean other/,
      /^8:83: error: rule two: as: pth is unknown/,
      /^9:13: error: rule two: another rule is called two/,
      /^9:55: error: rule two: match.exclude is a list/,
      /^10:9: error: tests\.0: a test expects/,
      /^11:1: error: unknown key rulez/,
    ],
  );
  t.equal(findings(text).length, 9);
  t.end();
});

/** Of a value, each place below it. */
function pathsOf(value: unknown): (string | number)[][] {
  const below: (string | number)[] = Array.isArray(value)
    ? [...value.keys()]
    : typeof value === 'object' && value !== null
      ? Object.keys(value)
      : [];
  return [[], ...below.flatMap((key) => pathsOf(Reflect.get(value as object, key)).map((path) => Array.of(key).concat(path)))];
}

test('one value of the wrong shape makes no other errors up, whichever it is', (t) => {
  const rule = {
    name: 'b',
    match: { images: ['quay.io/a', { regex: '^ghcr\\.io/(.*)$' }], exclude: ['quay.io/a/b'], podLabels: { a: 'b' } },
  };
  const policy = {
    apiVersion: 'transship.dev/v1',
    kind: 'RewritePolicy',
    registries: { a: { host: 'a.io', pullSecrets: ['s'], credentials: { secret: 'x' } }, b: { hostFrom: { localRegistryHosting: true } } },
    exclude: { images: ['a.io'] },
    rules: [
      {
        name: 'a',
        match: { images: [{ regex: '^docker\\.io/(.*)$' }] },
        rewrite: { as: 'template', template: 'a.io/$1', registry: 'a' },
        pullPolicy: 'Always',
      },
      {
        ...rule,
        rewrite: { registry: 'b', as: 'path', prefix: 'x' },
        alternatives: [{ registry: 'a', as: 'path' }, { as: 'original' }],
        onMutableTag: 'fallBack',
      },
    ],
    imageManagers: [{ name: 'x', podSelector: { matchLabels: { a: 'b' } } }],
    tests: [{ image: 'nginx', becomes: 'a.io/library/nginx' }],
  };
  t.ok(loadPolicy(JSON.stringify(policy), 'policy.yaml').compiled !== null);
  for (const path of pathsOf(policy).slice(1))
    for (const wrong of [{ wrong: 1 }, [[1]], 5, null, undefined]) {
      // A map of other registries: that those of the rules are not there is true.
      if (path.join() === 'registries' && !Array.isArray(wrong) && typeof wrong === 'object') continue;
      const broken = structuredClone(policy);
      const last = path.at(-1) ?? '';
      Reflect.set(
        path.slice(0, -1).reduce<object>((value, key) => Reflect.get(value, key) as object, broken),
        last,
        wrong,
      );
      const found = loadPolicy(JSON.stringify(broken), 'policy.yaml').findings;
      const shapes = found.filter(({ code }) => ['invalid-value', 'unknown-key'].includes(code));
      const others = found.filter(({ code, severity }) => severity === 'error' && !['invalid-value', 'unknown-key'].includes(code));
      if (shapes.length > 0) t.same(others, [], `${path.join('.')}: ${JSON.stringify(wrong)}`);
    }
  t.end();
});
