/** What the guides tell to write and to run: policies load and their tests hold, values fit the chart, commands succeed with the files of their page. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { test, type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { loadPolicy } from '../src/config/load.ts';
import { presets } from '../src/presets/presets.ts';
import { render, skipWithoutHelm } from './charts/chart.ts';
import { transship } from './cli/terminal.ts';
import { gitOpsValues, kindOf } from './guides/kinds.ts';
import { commandsOf, documentsOf, fileName, pages, type Page } from './guides/page.ts';

/** For texts that a reader replaces, and for the parameters of an ApplicationSet. */
const filledIn = (text: string): string => text.replaceAll(/\bHOST\b/g, 'registry.example.com').replaceAll(/{{ \.\w+ }}/g, 'example');

const head = { apiVersion: 'transship.dev/v1', kind: 'RewritePolicy' };

const documents = pages.flatMap(({ blocks }) =>
  blocks
    .filter(({ language }) => language === 'yaml')
    .flatMap(({ place, language, text: written }) => {
      const text = filledIn(written);
      return documentsOf({ place, language, text }).map((document) => ({ place, text, document, kind: kindOf(document) }));
    }),
);

const ofKind = (kind: string) => documents.filter((each) => each.kind === kind);

/** Values of the chart: alone, and in an object of Argo CD or Flux. */
const chartValues = [
  ...ofKind('values'),
  ...ofKind('GitOps').flatMap(({ place, document }) => {
    const values = gitOpsValues(document);
    return values === null ? [] : [{ place, document: values }];
  }),
];

function loads(t: Test, text: string, place: string) {
  const { compiled, findings } = loadPolicy(text, place);
  t.strictSame(findings, [], place);
  return compiled;
}

test('every block of YAML is of a known kind', (t) => {
  t.ok(documents.length > 10, `${documents.length} documents`);
  t.strictSame(
    ofKind('unknown').map(({ place }) => place),
    [],
  );
  t.end();
});

test('every policy loads without a finding, and has tests that hold', (t) => {
  for (const { place, text } of ofKind('policy')) t.ok((loads(t, text, place)?.policy.tests.length ?? 0) > 0, `${place} has tests`);
  for (const { place, document } of ofKind('part of a policy')) loads(t, stringify({ ...head, ...document }), place);
  t.end();
});

const validate = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync(new URL('../charts/transship/values.schema.json', import.meta.url), 'utf8')),
);

test('values fit the schema of the chart, and a policy in them loads', (t) => {
  for (const { place, document } of chartValues) {
    t.ok(validate(document), `${place}: ${JSON.stringify(validate.errors)}`);
    const inline: unknown = Object(document['rewritePolicy'])['inline'];
    // The chart adds the registry `local` to a policy of its local registry.
    const local = 'localRegistry' in document ? { registries: { local: { host: 'localhost:30500' } } } : {};
    if (inline !== undefined) loads(t, typeof inline === 'string' ? inline : stringify({ ...head, ...local, ...Object(inline) }), place);
  }
  t.end();
});

test('values render', { skip: skipWithoutHelm }, async (t) => {
  for (const { place, document } of chartValues) await t.resolves(render(document), place);
});

/** What a page without files of its own talks about. */
const sample = await transship(['init', '--preset', 'harbor']);
const app = `apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: nginx:1.27 }] }\n`;
const samples: Readonly<Record<string, string>> = {
  'policy.yaml': sample.stdout,
  'policy-in-force.yaml': sample.stdout,
  'old.yaml': sample.stdout,
  'new.yaml': sample.stdout,
  'app.yaml': app,
  'manifests.yaml': app,
  'manifests/app.yaml': app,
};

/** The files of a page, by name; a policy or values without one have the usual name. */
function filesOf(page: Page): Record<string, string> {
  const files: Record<string, string> = {};
  for (const block of page.blocks.filter(({ language }) => ['yaml', 'toml', 'conf'].includes(language))) {
    const text = filledIn(block.text);
    const isPolicy = block.language === 'yaml' && documentsOf({ ...block, text }).some((document) => kindOf(document) === 'policy');
    const name = fileName(block) ?? (isPolicy ? 'policy.yaml' : null);
    if (name !== null && (fileName(block) !== null || files[name] === undefined)) files[name] = text;
  }
  return files;
}

/** Commands that need a cluster, a terminal or another program's output are only read: test/troubleshooting.test.ts. */
const needsMore = (words: readonly string[]): boolean =>
  ['scan', 'why', 'doctor', 'play', 'try', 'serve', 'controller'].includes(words[0] ?? '')
    ? !(words[0] === 'scan' && words.includes('-f') && !words.includes('-'))
    : words.some((word) => ['-A', '--all-namespaces', '-', '--review', 'IMAGE', 'NAME'].includes(word));

let ran = 0;

for (const page of pages)
  test(`the commands of ${page.name} succeed`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'guide-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const own = filesOf(page);
    const files: Readonly<Record<string, string>> = { ...samples, ...own };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const isFile = (word: string): boolean =>
      Object.keys(files).some((name) => name === word || name.startsWith(`${word.replace(/\/$/, '')}/`));
    const placed = (word: string, index: number, words: readonly string[]): string =>
      isFile(word) || ['--output-dir', '--check'].includes(words[index - 1] ?? '') ? join(folder, word) : word;
    for (const { place, words, into, output } of commandsOf(page)) {
      if (needsMore(words)) continue;
      const { code, stdout, stderr } = await transship(words.map(placed));
      t.ok(code === 0 || (code === 1 && words[0] === 'diff'), `${place}: ${code} ${stdout} ${stderr}`);
      const shown = `${stdout}${stderr}`.replaceAll(`${folder}/`, '');
      if (output !== null) t.equal(shown.trimEnd(), output.trimEnd(), place);
      const shownPolicy = own[into ?? 'policy.yaml'];
      if (isPreset(words) && shownPolicy !== undefined) samePolicy(t, place, stdout, shownPolicy);
      ran += 1;
    }
  });

/** Presets that are made from a record; the others are examples with more in them than a guide shows. */
const isPreset = (words: readonly string[]): boolean =>
  words[0] === 'init' && presets.some(({ name }) => name === words[words.indexOf('--preset') + 1]);

/** A page that begins with a preset shows that policy: its registries and rules, with tests of its own. */
function samePolicy(t: Test, place: string, printed: string, shown: string): void {
  const { registries, rules } = parse(printed);
  const page = parse(shown);
  t.strictSame({ registries: page.registries, rules: page.rules }, { registries, rules }, `${place}: the policy of the page`);
}

test('commands were found', (t) => {
  t.ok(ran >= 40, `${ran} commands`);
  t.end();
});
