/** Loads the text of a policy file into a compiled policy, or findings with file, line and column. */
import { compilePolicy, type CompiledPolicy } from '../rules/compile.ts';
import { hostOf, type ResolvedHosts } from '../rules/registries.ts';
import { documentProblems, plainValue } from './document.ts';
import { failedExpectations } from './expectations.ts';
import { hasErrors, type Finding } from '../errors/finding.ts';
import { locate } from './finding.ts';
import { lint } from './lint/lint.ts';
import { otherDocument } from './other-document.ts';
import { isTemplate } from '../text/go-template.ts';
import { parseSource, type SourceFile } from './position.ts';
import { readableParts } from './readable-parts.ts';
import { schemaProblems } from './schema-problems.ts';
import { problem } from '../policy/problem.ts';
import type { RewritePolicy } from '../policy/types.ts';
import { policySchema } from './schema.ts';

/** `compiled` is null if a finding is an error: such a policy is never used, not even in part. */
export interface LoadedPolicy {
  readonly compiled: CompiledPolicy | null;
  readonly findings: readonly Finding[];
}

/**
 * @param name name of the file in findings
 * @param hosts hosts that the controller resolved. The file's own tests see a registry's `host` if it has one: their author knew that one,
 * and a changed NodePort must not get a good policy rejected
 */
export function loadPolicy(text: string, name: string, hosts: ResolvedHosts = {}): LoadedPolicy {
  const file = parseSource(text, name);
  const problems = documentProblems(file);
  if (problems[0] !== undefined) {
    const template = 'this looks like a template of a Helm chart; render it first (helm template …) and check the policy in its output';
    return refused(isTemplate(text) ? [{ ...problems[0], message: template }] : problems);
  }
  if (file.document.contents === null)
    return refused([locate(file, problem('empty-file', [], 'the file is empty; it needs at least apiVersion and kind'))]);
  return loadDocument(file, hosts);
}

function loadDocument(file: SourceFile, hosts: ResolvedHosts): LoadedPolicy {
  const plain = plainValue(file);
  if (plain === null)
    return refused([locate(file, problem('too-many-aliases', [], 'its aliases expand to too many values; write the values out'))]);
  const other = otherDocument(plain.value);
  if (other !== null) return refused([locate(file, { key: true, ...problem('not-a-policy', other.path, other.message) })]);
  const parsed = policySchema.safeParse(plain.value, { reportInput: false });
  if (!parsed.success) {
    const { issues } = parsed.error;
    const rest = readableParts(plain.value, issues);
    const others = rest === null ? [] : compilePolicy(rest, hosts).problems;
    return refused([...schemaProblems(issues, plain.value), ...others].map((each) => locate(file, each)));
  }
  const compiled = compilePolicy(parsed.data, hosts);
  if (compiled.problems.length > 0) return refused(compiled.problems.map((each) => locate(file, each)));
  const compiledWith = (others: ResolvedHosts): CompiledPolicy => (areEqual(others, hosts) ? compiled : compilePolicy(parsed.data, others));
  // Whether nodes reach a registry at the moment says nothing about the policy.
  const findings = lint(compiledWith(hostsOnly(hosts))).map((each) => locate(file, each));
  if (hasErrors(findings)) return refused(findings);
  const failures = failedExpectations(compiledWith(withoutStated(hosts, parsed.data))).map((each) => locate(file, each));
  return failures.length > 0 ? refused([...findings, ...failures]) : { compiled, findings: inOrder(findings) };
}

function withoutStated(hosts: ResolvedHosts, policy: RewritePolicy): ResolvedHosts {
  return Object.fromEntries(Object.entries(hostsOnly(hosts)).filter(([name]) => policy.registries[name]?.host === undefined));
}

function hostsOnly(hosts: ResolvedHosts): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(hosts).flatMap(([name, resolved]) => {
      const host = hostOf(resolved);
      return host === null ? [] : [[name, host]];
    }),
  );
}

function areEqual(a: ResolvedHosts, b: ResolvedHosts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function refused(findings: readonly Finding[]): LoadedPolicy {
  return { compiled: null, findings: inOrder(findings) };
}

/** Of the file. */
function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((one, other) => one.line - other.line || one.column - other.column);
}
