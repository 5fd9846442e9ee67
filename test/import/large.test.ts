/** Time grows with the number of hosts and no faster: an import of 4,000 hosts took a minute, and one of 2,000 a quarter of it. */
import { test } from 'tap';
import { importFormats } from '../../src/cli/import-formats.ts';
import { policyText } from '../../src/import/policy-text.ts';

const many = 1600;
const few = many / 4;
/** Linear time gives 4, quadratic 16; the best of some short rounds is compared, since the machine may be busy. */
const mostRatio = 10;

const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join('');
const oneFile = (path: string, text: string): Readonly<Record<string, string>> => ({ [path]: text });

/** Each with as many rules as registries, since that is what can be compared with each other. */
const formats: Readonly<Record<string, (count: number) => Readonly<Record<string, string>>>> = {
  containerd: (count) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`h${index}.example/hosts.toml`, `server = "https://m${index}.example/v2/x"\n`]),
    ),
  k3s: (count) =>
    oneFile('registries.yaml', `mirrors:\n${lines(count, (index) => `  h${index}.example: { endpoint: [m${index}.example] }\n`)}`),
  crio: (count) =>
    oneFile(
      'registries.conf',
      lines(
        count,
        (index) =>
          `[[registry]]\nprefix = "q.example/${index}"\nlocation = "m${index}.example/x"\n[[registry]]\nlocation = "q.example/${index}/kept"\n`,
      ),
    ),
  openshift: (count) =>
    oneFile(
      'sets.yaml',
      `kind: ImageTagMirrorSet\nspec:\n  imageTagMirrors:\n${lines(count, (index) => `  - { source: q.example/${index}, mirrors: [m${index}.example/x] }\n`)}`,
    ),
  kyverno: (count) =>
    oneFile(
      'policy.yaml',
      `kind: ClusterPolicy\nmetadata: { name: a }\nspec:\n  rules:\n${lines(
        count,
        (index) =>
          `  - { name: r${index}, match: { namespaces: [shop] }, mutate: { x: 'm${index}.example/{{ images.containers."a".path }}' } }\n`,
      )}`,
    ),
  'harbor-container-webhook': (count) =>
    oneFile(
      'config.yaml',
      `rules:\n${lines(count, (index) => `- { name: same, matches: ['^h${index}[.]example/'], replace: m${index}.example/x }\n`)}`,
    ),
  'kube-image-keeper': (count) =>
    oneFile(
      'sets.yaml',
      lines(
        count,
        (index) =>
          `---\nkind: ImageSetMirror\nmetadata: { name: a, namespace: shop }\nspec: { imageFilter: { include: [h${index}.example/.*] }, mirrors: [{ registry: m${index}.example }] }\n`,
      ),
    ),
  imageswap: (count) =>
    oneFile(
      'maps.conf',
      lines(count, (index) => `h${index}.example::m${index}.example\n`),
    ),
};

test('every format is here', (t) => {
  t.strictSame(Object.keys(formats), Object.keys(importFormats));
  t.end();
});

for (const [name, texts] of Object.entries(formats))
  test(`${name}: ${many} hosts`, (t) => {
    const [long, short] = [best(name, texts(many), 2), best(name, texts(few), 3)];
    t.ok(long / short < mostRatio, `${(long / short).toFixed(1)} times as long for 4 times the hosts: ${Math.round(long)} ms`);
    t.end();
  });

/** Milliseconds of the processor, which others may be using. */
function best(name: string, texts: Readonly<Record<string, string>>, rounds: number): number {
  const sources = Object.entries(texts).map(([path, text]) => ({ name: path, path, text }));
  let least = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const began = process.cpuUsage();
    const text = policyText(importFormats[name]?.read(sources) ?? { origin: '', notes: [], exclude: [], rules: [] });
    const { user, system } = process.cpuUsage(began);
    least = Math.min(least, (user + system) / 1000);
    if (text.split('\n').length < few) throw new Error(text);
  }
  return least;
}
