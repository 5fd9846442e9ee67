/** The file of hosts that the controller resolved for registries with `hostFrom`: a YAML map, registry name to host. */
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { addressProblem, type ResolvedHosts } from '../rules/registries.ts';
import type { Finding } from '../errors/finding.ts';
import { documentProblems, plainValue } from './document.ts';
import { problem } from '../policy/problem.ts';
import { locate } from './finding.ts';

const schema = z.record(z.string(), z.string());

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
  if (!parsed.success) return refuse('the file maps names of registries to hosts, such as `local: localhost:30500`');
  const wrong = Object.entries(parsed.data).find(([, host]) => addressProblem(host) !== null);
  if (wrong !== undefined) return refuse(`host of registry ${wrong[0]}: ${addressProblem(wrong[1])}`, [wrong[0]]);
  return { hosts: parsed.data, findings: [] };
}
