/** The files of another program, and what is wrong with them: always with file, line and column. */
import { TomlError, parse as parseToml } from 'smol-toml';
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import type * as z from 'zod';
import { positionOf, type Position } from '../config/position.ts';
import { received, typeNames, valueAt, type Path } from '../config/schema-problems.ts';
import { addDuplicateKeys, uncheckedKeys } from '../config/unique-keys.ts';
import type { Finding } from '../errors/finding.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { parsePattern } from '../rules/pattern.ts';
import type { PolicyPath } from '../policy/problem.ts';

export interface SourceText {
  /** In messages. */
  readonly name: string;
  /** Below the folder that was named; the name of the file where a file was. */
  readonly path: string;
  readonly text: string;
}

/** A value with the places of its parts. */
export interface Located<Value> {
  readonly source: SourceText;
  readonly value: Value;
  readonly positionAt: (path: PolicyPath) => Position;
}

export class ImportError extends OperatorError {
  override readonly name = 'ImportError';

  constructor(source: SourceText, { line, column }: Position, message: string) {
    const finding: Finding = { file: source.name, code: 'not-imported', severity: 'error', line, column, message };
    super('IMPORT_INVALID', `${source.name} cannot be imported`, 'correct what follows', { findings: [finding] });
  }
}

const start: Position = { line: 1, column: 1 };

export function fail(located: Located<unknown>, path: PolicyPath, message: string): never {
  throw new ImportError(located.source, located.positionAt(path), message);
}

/** Every document that is not empty. @throws ImportError */
export function readYaml(source: SourceText): Located<unknown>[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source.text, { lineCounter: lines, prettyErrors: false, stringKeys: true, ...uncheckedKeys });
  const documents = 'empty' in parsed ? [] : parsed;
  return documents.flatMap((document) => {
    addDuplicateKeys(document);
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new ImportError(source, { line, column: col }, `not YAML: ${error.message.replace(/\.$/, '')}`);
    }
    const positionAt = (path: PolicyPath): Position => positionOf({ name: source.name, document, lines }, path);
    const value = valueOf(document, source);
    return value === null ? [] : [{ source, value, positionAt }];
  });
}

function valueOf(document: Document.Parsed, source: SourceText): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without an anchor, or aliases that expand to too much.
    if (error instanceof ReferenceError) throw new ImportError(source, start, `not YAML: ${error.message}`);
    throw error;
  }
}

/** A parser of TOML tells no places; a part is looked for by its key. @throws ImportError */
export function readToml(source: SourceText): Located<unknown> {
  try {
    const value = parseToml(source.text);
    return {
      source,
      value,
      positionAt: (path) => placeOfKey(source.text, path.findLast((step) => typeof step === 'string') ?? ''),
    };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new ImportError(
      source,
      { line: error.line, column: error.column },
      `not TOML: ${(error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')}`,
    );
  }
}

/** The second keys of the headers of tables whose first key this is, in order: `[host."https://a.example.com"]`. */
export function tableKeys(text: string, first: string): string[] {
  const keys = text.split(/\r?\n/).flatMap((line) => (/^[ \t]*\[[^[]/.test(line) ? secondKey(line, first) : []));
  return [...new Set(keys)];
}

function secondKey(header: string, first: string): string[] {
  try {
    const table = parseToml(header)[first];
    return typeof table === 'object' ? Object.keys(table) : [];
  } catch (error) {
    // A line of a text over several lines that only looks like a header.
    if (error instanceof TomlError) return [];
    throw error;
  }
}

function placeOfKey(text: string, key: string): Position {
  const index = key === '' ? -1 : text.indexOf(key);
  if (index === -1) return start;
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** A name of images, or of their host. @throws ImportError where it is none */
export function patternAt(located: Located<unknown>, text: string, path: PolicyPath): string {
  const parsed = parsePattern(text);
  return parsed.ok ? text : fail(located, path, parsed.problem);
}

/** @throws ImportError at the first part that does not fit */
export function checked<Schema extends z.ZodType>(located: Located<unknown>, schema: Schema): Located<z.output<Schema>> {
  const parsed = schema.safeParse(located.value, { reportInput: false });
  if (parsed.success) return { ...located, value: parsed.data };
  const { issues } = parsed.error;
  const path = (issues[0]?.path ?? []).map((step) => (typeof step === 'number' ? step : String(step)));
  return fail(located, path, issues[0] === undefined ? '' : describe(issues[0], path, valueAt(located.value, path)));
}

/** The file is YAML, TOML or JSON, so no syntax is suggested. */
function describe(issue: z.core.$ZodIssue, path: Path, value: unknown): string {
  const place = path.length === 0 ? 'the file' : path.join('.');
  if (issue.code !== 'invalid_type') return `${place}: ${issue.message}`;
  const wanted = typeNames[issue.expected] ?? issue.expected;
  return value === undefined ? `${place} is missing; it must be ${wanted}` : `${place} must be ${wanted}, not ${received(value)}`;
}
