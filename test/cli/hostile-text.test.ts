/** Texts of others in what each command prints: none of them reaches a terminal, a log or a CI as it is. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { hostileTexts, unsafeIn } from '../text/hostile.ts';
import { policy, transship, type Ended } from './terminal.ts';

const quoted = (text: string): string => JSON.stringify(text);

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  /** The manifests that `rewrite` prints are data, and stay as they are. */
  readonly isData?: true;
}

/** Everywhere that a text of somebody else can stand; FILE is a policy that holds the text. */
function cases(text: string): Case[] {
  const pod = `kind: Pod\nmetadata: {name: ${quoted(text)}, namespace: ${quoted(text)}}\nspec: {containers: [{name: ${quoted(text)}, image: ${quoted(text)}}]}\n`;
  return [
    { name: 'a command', args: [text] },
    { name: 'a flag', args: ['explain', `--${text}`] },
    { name: 'the value of a flag', args: ['explain', '--policy', policy, '-o', text, 'nginx'] },
    { name: 'a value of serve', args: ['serve', '--log-level', text, '--policy', 'a', '--tls-cert', 'b', '--tls-key', 'c'] },
    { name: 'the name of a policy', args: ['explain', '--policy', text, 'nginx'] },
    { name: 'the name of a certificate', args: ['serve', '--policy', policy, '--tls-cert', text, '--tls-key', text] },
    { name: 'the name of a kubeconfig', args: ['controller', '--policy', policy, '--namespace', 'n', '--kubeconfig', text] },
    { name: 'an argument', args: ['rewrite', '--policy', policy, text] },
    { name: 'an image', args: ['explain', '--policy', policy, text] },
    { name: 'an image, as JSON', args: ['explain', '--policy', policy, '-o', 'json', text] },
    { name: 'a namespace', args: ['explain', '--policy', policy, '-n', text, 'nginx'] },
    { name: 'an image of a list', args: ['images', '--policy', policy, '-'], stdin: text },
    { name: 'the name of a file', args: ['explain', '--policy', policy, '-f', text] },
    { name: 'manifests', args: ['explain', '--policy', policy, '-f', '-'], stdin: pod },
    { name: 'manifests, as JSON', args: ['explain', '--policy', policy, '-o', 'json', '-f', '-'], stdin: pod },
    { name: 'manifests of images', args: ['images', '--policy', policy, '-f', '-'], stdin: pod },
    { name: 'manifests to rewrite', args: ['rewrite', '--policy', policy], stdin: pod, isData: true },
    { name: 'manifests that are none', args: ['rewrite', '--policy', policy], stdin: `a: ${text}\nb: [${text}` },
    { name: 'an alias', args: ['rewrite', '--policy', policy], stdin: `a: *${text}\n` },
    { name: 'a review', args: ['rewrite', '--policy', policy, '--review'], stdin: `{"kind": ${quoted(text)}, ${text}` },
    { name: 'lint of a policy with it', args: ['lint', 'FILE'] },
    { name: 'explain with it', args: ['explain', '--policy', 'FILE', 'nginx', 'quay.io/a/b', 'gcr.io/c'] },
    { name: 'lint of a file that is named so', args: ['lint', text] },
    {
      name: 'lint of an unknown key',
      args: ['lint', '-'],
      stdin: `apiVersion: transship.dev/v1\nkind: RewritePolicy\n${quoted(text)}: 1\n`,
    },
    { name: 'resolved hosts', args: ['lint', '--resolved-hosts', '-', policy], stdin: `${quoted(text)}: ${quoted(text)}\n` },
  ];
}

const withText = (text: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { r: { host: r.example.com }, ${quoted(text)}: { host: ${quoted(text)}, pullSecrets: [${quoted(text)}] } }
rules:
  - { name: ${quoted(text)}, match: { images: [docker.io], namespaces: [${quoted(text)}] }, rewrite: { registry: r, as: path } }
  - { name: ${quoted(`${text}2`)}, match: { images: [quay.io, { regex: ${quoted(text)} }] }, rewrite: { registry: ${quoted(text)}, as: ${quoted(text)} } }
tests: [{ image: ${quoted(text)}, becomes: ${quoted(text)}, rule: ${quoted(text)} }]
`;

/** The same without what makes the policy invalid: names of rules may be any text. */
const valid = (text: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { r: { host: r.example.com } }
rules:
  - { name: ${quoted(text)}, match: { images: [docker.io, { regex: a.b }] }, rewrite: { registry: r, as: path } }
  - { name: ${quoted(`${text}2`)}, match: { images: [docker.io/library] }, rewrite: { registry: r, as: path } }
`;

for (const [name, text] of Object.entries(hostileTexts)) {
  test(name, async (t) => {
    const folder = t.testdir({});
    for (const [index, content] of [withText(text), valid(text)].entries()) {
      const file = join(folder, `policy-${index}.yaml`);
      await writeFile(file, content);
      for (const { name: where, args, stdin, isData } of cases(text)) {
        if (index > 0 && !args.includes('FILE')) continue;
        const { stdout, stderr }: Ended = await transship(
          args.map((word) => (word === 'FILE' ? file : word)),
          stdin,
        );
        const shown = isData ? stderr : stdout + stderr;
        if (!isData && args[0] !== 'images') t.not(shown, '', `${where}: something is said`);
        t.same(unsafeIn(shown), [], where);
        t.notMatch(shown, /^\s*(?:::|##)/m, `${where}: no command of a CI`);
        t.notMatch(shown, /^ {4}at |INTERNAL/m, `${where}: no stack`);
      }
    }
  });
}

const depths: Readonly<Record<string, (depth: number) => string>> = {
  'flow lists': (depth) => `kind: Pod\nspec:\n  x: ${'['.repeat(depth)}${']'.repeat(depth)}\n`,
  'flow maps': (depth) => `kind: Pod\nspec: ${'{a: '.repeat(depth)}1${'}'.repeat(depth)}\n`,
  'block lists': (depth) => `kind: Pod\nspec:\n  ${'- '.repeat(depth)}1\n`,
  JSON: (depth) => `{"kind":"Pod","spec":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`,
};

test('manifests that nest without end get a sentence with file and line: it was the name of an error of the stack', async (t) => {
  for (const [form, make] of Object.entries(depths))
    for (const depth of [770, 3000, 20_000])
      for (const args of [['explain', '-f', '-'], ['images', '-f', '-'], ['rewrite']]) {
        const { code, stderr } = await transship([...args, '--policy', policy], make(depth));
        const name = `${form}, ${depth} deep: ${args.join(' ')}`;
        t.notMatch(stderr, /call stack|RangeError|INTERNAL|^ {4}at /im, name);
        if (code === 2) t.match(stderr, /^transship \w+: MANIFEST_INVALID: standard input:\d+:\d+: it is nested too deeply.*; .+$/m, name);
        else t.ok(depth === 770, `${name} is read`);
      }
});

test('a file whose name a CI would obey', async (t) => {
  for (const name of ['::error file=a::b', ' ::warning::x', '##[error]x']) {
    const { stdout, stderr } = await transship(['lint', name]);
    t.notMatch(stdout + stderr, /^\s*(?:::|##)/m, name);
  }
});
