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

function withoutTests(preset: Preset, values: Values): string {
  const { name, summary, source, pullSecret, credentials } = preset;
  const unset = Object.entries(preset.variables).filter(([key, { placeholder }]) => values[key] === placeholder);
  const replace = unset.map(([key, { text, placeholder }]) => `# Replace ${placeholder}: ${text} (--set ${key}=…).\n`).join('');
  const secret = pullSecret === null ? '' : `    pullSecrets: [${pullSecret}]\n`;
  const account =
    credentials === null
      ? ''
      : `    credentials:\n${credentials(values)
          .map((line) => `      ${line}\n`)
          .join('')}`;
  return `# ${name}: ${summary}.
# ${source}
${replace}apiVersion: transship.dev/v1
kind: RewritePolicy

registries:
  ${name}:
    host: ${preset.host(values)}
${secret}${account}
rules:
${preset.sources.map((each) => ruleText(preset, each)).join('')}`;
}

function ruleText({ name, as }: Preset, { rule, images, prefix, needs }: Source): string {
  const comment = needs === undefined ? '' : `  # ${needs}\n`;
  const patterns = images.map((image) => (image === '*' ? "'*'" : image)).join(', ');
  return `${comment}  - name: ${rule}
    match: { images: [${patterns}] }
    rewrite: { registry: ${name}, as: ${as}${prefix === undefined ? '' : `, prefix: ${prefix}`} }
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
