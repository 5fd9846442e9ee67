/** Any text as a policy: loaded, or refused with findings that point into it. What is loaded decides, and its results stay as they are. */
import { loadPolicy, type LoadedPolicy } from '../../src/config/load.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { goodReferences } from '../image/corpus.ts';
import { damagedBytes } from './bytes.ts';
import { Finding } from './finding.ts';
import { policyTexts } from './policies.ts';
import { Random } from './random.ts';

const bodies = policyTexts.map((text) => Buffer.from(text)) as [Buffer, ...Buffer[]];
const images = [
  'nginx:1.27',
  'quay.io/acme/app:1',
  'ghcr.io/acme/x/app@sha256:' + 'a'.repeat(64),
  ...goodReferences.slice(0, 20).map(({ text }) => text),
];

/** What YAML and the policy's own language give a meaning to. */
const values = [
  'null',
  '~',
  '[]',
  '{}',
  '""',
  '0',
  '-1',
  '1e400',
  '.nan',
  'true',
  '!!binary aGk=',
  '!!set {a}',
  '&a [*a]',
  '*a',
  '<<: *a',
  '? x',
  '|',
  '>-',
  '"\\ud800"',
  '"\\0"',
  '__proto__',
  'constructor',
  'toString',
  '{ __proto__: { host: x } }',
  "{ regex: '(' }",
  "{ regex: '(a*)*$' }",
  "{ regex: '" + '(a?)'.repeat(60) + "' }",
  "{ regex: 'a{1000}{1000}' }",
  '"$1$9$$"',
  '*',
  "'*'",
  'docker.io/*/*',
  'a/b/c:1@sha256:x',
  '---',
  '...',
  '%YAML 1.1',
  '2001-01-01',
  '0o17',
  'x: y',
  '[[[[[[',
  '{{{{{{',
  '\t',
  '# x',
] as const;

export function policyText(random: Random): string {
  const text = random.pick(policyTexts);
  if (random.once(3)) return damagedBytes(Buffer.from(text), random, random.pick(bodies)).toString('utf8');
  const lines = text.split('\n');
  for (let left = 1 + random.below(3); left > 0; left -= 1) damageLine(lines, random);
  return lines.join('\n');
}

function damageLine(lines: string[], random: Random): void {
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  switch (random.below(6)) {
    case 0:
      lines.splice(at, 1 + random.below(3));
      return;
    case 1:
      lines.splice(at, 0, line);
      return;
    case 2:
      lines.splice(at, 0, lines[random.below(lines.length)] ?? '');
      return;
    case 3:
      lines[at] = `${' '.repeat(random.below(6))}${line.trimStart()}`;
      return;
    case 4:
      // The value of the line, or of one member in braces.
      lines[at] = line.replace(
        random.once(2) ? /(:\s)(?:.*)$/ : /(:\s)(?:[^,{}[\]]+)/,
        (_all, colon: string) => colon + random.pick(values),
      );
      return;
    default:
      lines[at] = line.replace(/[A-Za-z]+(?=:)/, () => random.pick(values));
  }
}

export function fuzzPolicy(seed: number, execution: number): string {
  return checkPolicy(policyText(new Random(seed, execution)));
}

/** @returns what became of it; throws a Finding */
export function checkPolicy(text: string): string {
  let loaded: LoadedPolicy;
  try {
    loaded = loadPolicy(text, 'policy.yaml');
  } catch (error) {
    throw new Finding('loadPolicy throws', text, error);
  }
  const { compiled, findings } = loaded;
  const lineCount = text.split(/\r\n|\r|\n/).length;
  for (const { line, column, message } of findings) {
    if (!(line >= 1 && line <= lineCount && column >= 1) || message === '')
      throw new Finding(`a finding points to ${line}:${column} of ${lineCount} lines: ${message}`, text);
  }
  if ((compiled === null) !== findings.some(({ severity }) => severity === 'error'))
    throw new Finding(`findings and result do not agree: ${JSON.stringify(findings)}`, text);
  if (compiled === null) return 'refused';
  for (const image of images) checkDecision(compiled, image, text);
  return findings.length > 0 ? 'loaded with warnings' : 'loaded';
}

function checkDecision({ table }: CompiledPolicy, image: string, text: string): void {
  const context = { namespace: 'team-shop', podLabels: { app: 'shop' } };
  try {
    const { result } = decideImage(table, image, context);
    if (result === null) return;
    const second = decideImage(table, result, context).result;
    if (second !== null && second !== result) throw new Finding(`${image} becomes ${result}, which becomes ${second}`, text);
  } catch (error) {
    throw error instanceof Finding ? error : new Finding(`deciding ${image} throws`, text, error);
  }
}
