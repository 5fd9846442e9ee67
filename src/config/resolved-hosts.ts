/**
 * The file of what the controller found out about registries: a YAML map of the name to the host of a registry with `hostFrom`, or to
 * `{ host, unavailable: true }` where nodes do not reach it. There, `host` may be absent.
 */
import * as z from 'zod';
import { addressProblem, hostOf, type ResolvedHosts } from '../rules/registries.ts';
import type { Finding } from '../errors/finding.ts';
import { documentProblems, plainValue } from './document.ts';
import { problem } from '../policy/problem.ts';
import { locate } from './finding.ts';
import { nearest } from '../rules/nearest.ts';
import type { RewritePolicy } from '../policy/types.ts';
import { isObject } from '../pod/json.ts';
import { parseSource } from './position.ts';

const schema = z.record(z.string(), z.union([z.string(), z.strictObject({ host: z.string().optional(), unavailable: z.literal(true) })]));

const shapeOfFile = 'the file maps names of registries to hosts, such as `local: localhost:30500`, or to `{ unavailable: true }`';
const shapeOfEntry = 'write its host as text, such as localhost:30500, or { unavailable: true }, which may have the host as well';

/** In characters. A ConfigMap holds 1 MiB, and reading much more would take minutes. */
const maxLength = 1_048_576;

/** An empty or missing file resolves nothing. */
export function parseResolvedHosts(text: string, name: string): { readonly hosts: ResolvedHosts; readonly findings: readonly Finding[] } {
  const isTooLong = text.length > maxLength;
  const file = parseSource(isTooLong ? '' : text, name);
  const refuse = (message: string, path: string[] = []): { hosts: ResolvedHosts; findings: Finding[] } => ({
    hosts: {},
    findings: [locate(file, problem('invalid-resolved-hosts', path, message))],
  });
  if (isTooLong) return refuse('the file has more than 1 MiB, which no ConfigMap holds');
  const problems = documentProblems(file);
  if (problems.length > 0) return { hosts: {}, findings: problems };
  if (file.document.contents === null) return { hosts: {}, findings: [] };
  const value = plainValue(file)?.value;
  if (isObject(value) && value['kind'] === 'ConfigMap')
    return refuse('this is a whole ConfigMap; the file is what its key hosts.yaml has', ['kind']);
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const registry = parsed.error.issues[0]?.path[0];
    return typeof registry === 'string' ? refuse(`registry ${registry}: ${shapeOfEntry}`, [registry]) : refuse(shapeOfFile);
  }
  for (const [registry, resolved] of Object.entries(parsed.data)) {
    const host = hostOf(resolved);
    const wrong = host === null ? null : addressProblem(host);
    if (wrong !== null)
      return refuse(`host of registry ${registry}: ${wrong}`, typeof resolved === 'string' ? [registry] : [registry, 'host']);
  }
  return { hosts: parsed.data, findings: [] };
}

/** Registries of the file that the policy does not have: nothing follows from them. @param source of the hosts, without errors */
export function unusedHosts(
  hosts: ResolvedHosts,
  { text, name }: { readonly text: string; readonly name: string },
  { registries }: Pick<RewritePolicy, 'registries'>,
): Finding[] {
  const unused = Object.keys(hosts).filter((registry) => !Object.hasOwn(registries, registry));
  if (unused.length === 0) return [];
  const file = parseSource(text, name);
  return unused.map((registry) => {
    const near = nearest(registry, Object.keys(registries));
    const remedy = near === null ? 'it has no effect' : `did you mean ${near}?`;
    return locate(file, problem('unused-resolved-host', [registry], `the policy has no registry ${registry}; ${remedy}`));
  });
}
