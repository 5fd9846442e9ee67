/** From the text of a policy file to a compiled policy, or to findings with file, line and column. */
import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { compilePolicy, type CompiledPolicy } from '../rules/compile.ts';
import type { ResolvedHosts } from '../rules/registries.ts';
import { failedExpectations } from './expectations.ts';
import { hasErrors, locate, type Finding } from './finding.ts';
import { lint } from './lint.ts';
import type { SourceFile } from './position.ts';
import { schemaProblems } from './schema-problems.ts';
import { policySchema } from './schema.ts';

/** `compiled` is null when a finding is an error: such a policy is never used, not even in part. */
export interface LoadedPolicy {
  readonly compiled: CompiledPolicy | null;
  readonly findings: readonly Finding[];
}

/**
 * @param name the file's name, as findings show it
 * @param hosts hosts that the controller resolved; the file's own tests run against them too
 */
export function loadPolicy(text: string, name: string, hosts: ResolvedHosts = {}): LoadedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const file: SourceFile = { name, document, lines };
  if (document.errors.length > 0) return refused(document.errors.map((error) => syntaxFinding(file, error)));
  if (document.contents === null) return refused([locate(file, { severity: 'error', path: [], message: 'the file is empty; it needs at least apiVersion and kind' })]);
  return loadDocument(file, hosts);
}

function loadDocument(file: SourceFile, hosts: ResolvedHosts): LoadedPolicy {
  const parsed = policySchema.safeParse(plainValue(file), { reportInput: false });
  if (!parsed.success) return refused(schemaProblems(parsed.error.issues).map((problem) => locate(file, problem)));
  const compiled = compilePolicy(parsed.data, hosts);
  if (compiled.problems.length > 0) return refused(compiled.problems.map((problem) => locate(file, problem)));
  const findings = lint(compiled).map((problem) => locate(file, problem));
  if (hasErrors(findings)) return refused(findings);
  const failures = failedExpectations(compiled).map((problem) => locate(file, problem));
  return failures.length > 0 ? refused([...findings, ...failures]) : { compiled, findings };
}

function plainValue(file: SourceFile): unknown {
  return file.document.toJS({ maxAliasCount: 100 });
}

function refused(findings: readonly Finding[]): LoadedPolicy {
  return { compiled: null, findings };
}

function syntaxFinding(file: SourceFile, error: YAMLError): Finding {
  const { line, col } = file.lines.linePos(error.pos[0]);
  const quote = error.message.includes('alias') ? "; a * that stands at the start of a value is quoted: '*'" : '';
  return { file: file.name, severity: 'error', line: Math.max(line, 1), column: Math.max(col, 1), message: error.message.replace(/\.$/, '') + quote };
}
