/** Policies of the tests of exports: from their rules, and those of the folder of examples. */
import { readdirSync, readFileSync } from 'node:fs';
import { loadPolicy } from '../../src/config/load.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';

const head = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: 'registry.example.com:5000' }
  local: { host: 'localhost:30500' }
  secret: { host: harbor.example.com/team, pullSecrets: [harbor-pull] }
  hub: { host: docker.io }
  plain: { host: registry.example.org }
  later: { hostFrom: { localRegistryHosting: true } }
`;

/** @param rules entries of `rules`, one a line @param more further keys of the policy */
export function policyOf(rules: readonly string[], more = ''): CompiledPolicy {
  const text = `${head}${more}rules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`;
  const { compiled, findings } = loadPolicy(text, 'policy.yaml');
  if (compiled === null) throw new Error(findings.map(({ message }) => message).join('\n'));
  return compiled;
}

/** Refusals as `PATH: MESSAGE`. */
export function shown(refusals: readonly { readonly path: readonly (string | number)[]; readonly message: string }[]): string[] {
  return refusals.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const folder = new URL('../../examples/', import.meta.url);

export const examplePolicies: readonly { readonly name: string; readonly text: string }[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
  .filter(({ text }) => text.includes('kind: RewritePolicy'));
