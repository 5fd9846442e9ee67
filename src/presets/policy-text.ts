/** A preset as the text of a policy file, with tests that hold. Pure. */
import { loadPolicy } from '../config/load.ts';
import { decideImage } from '../rules/decide.ts';
import type { Preset, Source, Values } from './preset.ts';

/** More would hide the policy. */
const maxTests = 20;

/** @param images those of the tests; the preset's samples where none is rewritten */
export function policyText(preset: Preset, values: Values, images: readonly string[]): string {
  const policy = withoutTests(preset, values);
  const tests = testsOf(policy, images);
  const all = tests.length > 0 ? tests : testsOf(policy, preset.samples);
  return `${policy}\ntests:\n${all.map((line) => `  - ${line}\n`).join('')}`;
}

/** @returns why the values make no policy, such as a host with a scheme; null when they make one */
export function presetProblem(preset: Preset, values: Values): string | null {
  const { compiled, findings } = loadPolicy(withoutTests(preset, values), 'policy.yaml');
  return compiled === null ? (findings.find(({ severity }) => severity === 'error')?.message ?? null) : null;
}

function withoutTests(preset: Preset, values: Values): string {
  const { name, summary, source } = preset;
  const unset = Object.entries(preset.variables).filter(([key, { placeholder }]) => values[key] === placeholder);
  const replace = unset.map(([key, { text, placeholder }]) => `# Replace ${placeholder}: ${text} (--set ${key}=…).\n`).join('');
  return `# ${name}: ${summary}.
# ${source}
${replace}apiVersion: transship.dev/v1
kind: RewritePolicy

registries:
${registriesText(preset, values)}
rules:
${preset.sources.map((each) => ruleText(preset, each)).join('')}`;
}

/** One entry for all sources, or one for each. */
function registriesText(preset: Preset, values: Values): string {
  const { name, pullSecret, credentials, isRegistryPerSource } = preset;
  const host = preset.host(values);
  const account = credentials?.(values) ?? [];
  if (isRegistryPerSource !== true) return registryText({ name, host, pullSecret, account });
  return preset.sources
    .map((source) => {
      const own = registryName(preset, source);
      const secret = `${own}-account`;
      const comment = `   # kubectl create secret docker-registry ${secret}, in the namespace of the release`;
      return registryText({
        name: own,
        host: `${host}/${source.prefix}`,
        pullSecret: `${own}-pull`,
        account: [`secret: ${secret}${comment}`],
      });
    })
    .join('');
}

interface RegistryEntry {
  readonly name: string;
  readonly host: string;
  readonly pullSecret: string | null;
  /** Lines below `credentials:`. */
  readonly account: readonly string[];
}

function registryText({ name, host, pullSecret, account }: RegistryEntry): string {
  const secret = pullSecret === null ? '' : `    pullSecrets: [${pullSecret}]\n`;
  const credentials = account.length === 0 ? '' : `    credentials:\n${account.map((line) => `      ${line}\n`).join('')}`;
  return `  ${name}:\n    host: ${host}\n${secret}${credentials}`;
}

const registryName = ({ name, isRegistryPerSource }: Preset, { prefix }: Source): string =>
  isRegistryPerSource === true ? `${name}-${prefix}` : name;

function ruleText(preset: Preset, source: Source): string {
  const { rule, images, prefix, needs } = source;
  const comment = needs === undefined ? '' : `  # ${needs}\n`;
  const patterns = images.map((image) => (image === '*' ? "'*'" : image)).join(', ');
  const own = prefix === undefined || preset.isRegistryPerSource === true ? '' : `, prefix: ${prefix}`;
  return `${comment}  - name: ${rule}
    match: { images: [${patterns}] }
    rewrite: { registry: ${registryName(preset, source)}, as: ${preset.as}${own} }
`;
}

/** What the policy makes of each image that it rewrites. */
function testsOf(policy: string, images: readonly string[]): string[] {
  const { compiled, findings } = loadPolicy(policy, 'policy.yaml');
  if (compiled === null) throw new TypeError(findings.map(({ message }) => message).join('; '));
  const context = { namespace: 'default', podLabels: {} };
  return [...new Set(images)]
    .slice(0, 10 * maxTests)
    .flatMap((image) => {
      const { outcome, result, rule } = decideImage(compiled.table, image, context);
      return outcome === 'rewritten' ? [`{ image: ${quoted(image)}, becomes: ${quoted(result ?? '')}, rule: ${rule} }`] : [];
    })
    .slice(0, maxTests);
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
