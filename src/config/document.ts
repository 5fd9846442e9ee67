/** Rejects a policy file before its content is validated: invalid YAML, several documents, too many aliases, misleading keys. */
import { isScalar, visit, type YAMLError } from 'yaml';
import type { Finding } from '../errors/finding.ts';
import { problemCodes, type ProblemCode } from '../policy/problem-codes.ts';
import type { SourceFile } from './position.ts';

/** More aliases than a person writes; each costs a search for its anchor. */
const maxAliases = 100;

/** Messages that replace those of the parser; others are kept. */
const plainer: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'the file must be one document; remove the --- and what follows',
  DUPLICATE_KEY: 'the key occurs twice in the same map; keep one of them',
  NON_STRING_KEY: 'a key must be plain text',
  BAD_ALIAS: "a * that stands at the start of a value is quoted: '*'",
  RESOURCE_EXHAUSTION: 'it is nested too deeply',
  TAB_AS_INDENT: 'the line begins with a tab; YAML requires spaces',
};

export function documentProblems(file: SourceFile): Finding[] {
  const { errors } = file.document;
  // Further parser errors about a file with tabs, or with unclosed nesting, are consequences.
  const cause = errors.find(({ code }) => code === 'TAB_AS_INDENT' || code === 'RESOURCE_EXHAUSTION');
  if (cause !== undefined) return [syntaxFinding(file, cause)];
  if (errors.length > 0) return errors.map((error) => syntaxFinding(file, error));
  const findings: Finding[] = [];
  let aliases = 0;
  visit(file.document, {
    Alias(_key, node) {
      aliases += 1;
      if (aliases > maxAliases) return visit.BREAK;
      if (node.resolve(file.document) === undefined) {
        findings.push(
          finding(
            file,
            node.range?.[0],
            `*${node.source} is an alias without an anchor; quote a * at the start of a value: '*${node.source}'`,
          ),
        );
      }
      return undefined;
    },
    Pair(_key, { key }) {
      // Converted to an object, a map would lose the key silently, and with it a condition of a rule.
      if (isScalar(key) && key.value === '__proto__') findings.push(finding(file, key.range?.[0], 'a key cannot be __proto__'));
    },
  });
  return aliases > maxAliases
    ? [finding(file, 0, `it has more than ${maxAliases} aliases; write the values out`, 'too-many-aliases')]
    : findings;
}

/** The content as plain values, null if its aliases expand beyond the limit. */
export function plainValue(file: SourceFile): { readonly value: unknown } | null {
  try {
    return { value: file.document.toJS({ maxAliasCount: maxAliases }) };
  } catch (error) {
    // The parser's protection against "billion laughs"; its other ReferenceError, unresolved aliases, was reported before.
    if (error instanceof ReferenceError) return null;
    throw error;
  }
}

function syntaxFinding(file: SourceFile, error: YAMLError): Finding {
  return finding(file, error.pos[0], plainer[error.code] ?? error.message.replace(/\.$/, ''));
}

function finding(file: SourceFile, offset: number | undefined, message: string, code: ProblemCode = 'yaml-syntax'): Finding {
  const { line, col } = file.lines.linePos(offset ?? 0);
  return { file: file.name, code, severity: problemCodes[code].severity, line: Math.max(line, 1), column: Math.max(col, 1), message };
}
