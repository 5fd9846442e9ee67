/**
 * The file of what the controller found out about registries: a YAML map of the name to the host of a registry with `hostFrom`, or to
 * `{ host, unavailable: true }` where nodes do not reach it. There, `host` may be absent.
 */
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { addressProblem, hostOf, type ResolvedHosts } from '../rules/registries.ts';
import type { Finding } from '../errors/finding.ts';
import { documentProblems, plainValue } from './document.ts';
import { problem } from '../policy/problem.ts';
import { locate } from './finding.ts';

const schema = z.record(z.string(), z.union([z.string(), z.strictObject({ host: z.string().optional(), unavailable: z.literal(true) })]));

/** An empty or missing file resolves nothing. */
export function parseResolvedHosts(text: string, name: string): { readonly hosts: ResolvedHosts; readonly findings: readonly Finding[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const file = { name, document, lines };
  const refuse = (message: string, path: string[] = []): { hosts: ResolvedHosts; findings: Finding[] } => ({
    hosts: {},
    findings: [locate(file, problem('invalid-resolved-hosts', path, message))],
  });
  const problems = documentProblems(file);
  if (problems.length > 0) return { hosts: {}, findings: problems };
  if (document.contents === null) return { hosts: {}, findings: [] };
  const parsed = schema.safeParse(plainValue(file)?.value);
  if (!parsed.success)
    return refuse('the file maps names of registries to hosts, such as `local: localhost:30500`, or to `{ unavailable: true }`');
  for (const [registry, resolved] of Object.entries(parsed.data)) {
    const host = hostOf(resolved);
    const wrong = host === null ? null : addressProblem(host);
    if (wrong !== null)
      return refuse(`host of registry ${registry}: ${wrong}`, typeof resolved === 'string' ? [registry] : [registry, 'host']);
  }
  return { hosts: parsed.data, findings: [] };
}
