/** Messages for schema errors that name the key and the remedy. */
import type * as z from 'zod';
import { problem, type PolicyProblem } from '../policy/problem.ts';
import { nearest } from '../rules/nearest.ts';
import { describeUnknownKey } from './unknown-key.ts';

type Issue = z.core.$ZodIssue;
export type SchemaProblem = PolicyProblem & { readonly key?: boolean };
export type Path = readonly (string | number)[];

/** @param document the file's content as plain values */
export function schemaProblems(issues: readonly Issue[], document: unknown): SchemaProblem[] {
  return issues.flatMap((issue): SchemaProblem[] => {
    const path = steps(issue.path);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ key: true, ...problem('unknown-key', [...path, key], describeUnknownKey(key, path)) }));
    if (issue.code === 'invalid_key')
      return [{ key: true, ...problem('invalid-value', path, sentence(path, issue.issues[0]?.message ?? issue.message)) }];
    return [problem('invalid-value', path, describe(issue, path, valueAt(document, path)))];
  });
}

function describe(issue: Issue, path: Path, value: unknown): string {
  if (issue.code === 'invalid_type') return describeType(issue.expected, path, value);
  if (issue.code === 'invalid_value') return describeValue(issue.values, path, value);
  if (issue.code === 'too_small' && issue.origin === 'string') return `${placeOf(path)} is empty`;
  return sentence(path, issue.message);
}

/** The types of the schema as users call them. */
export const typeNames: Readonly<Record<string, string>> = {
  array: 'a list',
  record: 'a map',
  object: 'a map',
  string: 'text',
  int: 'a whole number',
  number: 'a number',
};

function describeType(expected: string, path: Path, value: unknown): string {
  const place = placeOf(path);
  const wanted = typeNames[expected] ?? expected;
  if (value === undefined) return `${place} is missing; it must be ${wanted}`;
  if (path.length === 0) return wholeIsNoMap(value);
  if (value === null) return `${place} has no value; it must be ${wanted}`;
  if (expected === 'array' && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'))
    return `${place} is a list; write [${value}]`;
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return `${place} is text, and ${value} is a ${typeof value} in YAML; write it in quotes: '${value}'`;
  return `${place} must be ${wanted}, not ${received(value)}`;
}

/** A file with a single word is usually a file name in the place of its content. */
function wholeIsNoMap(value: unknown): string {
  if (value === null) return 'the policy has no value; it needs at least apiVersion and kind';
  if (typeof value !== 'string') return `the policy is ${received(value)}, not a map; it needs at least apiVersion and kind`;
  const text = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  const isPath = /^[^\s:]+\.ya?ml$/.test(value);
  return `the policy is the text ${text}, not a map${isPath ? '; with helm use --set-file and not --set' : '; it needs at least apiVersion and kind'}`;
}

function describeValue(values: readonly unknown[], path: Path, value: unknown): string {
  const place = placeOf(path);
  const words = values.map(String);
  const [only] = words;
  if (words.length === 1) {
    if (value === undefined) return `${place} is missing; write ${place}: ${only}`;
    const newer = isVersion(value) && place === 'apiVersion' ? ', or use the release of transship that reads it' : '';
    return `${place} is ${typeof value === 'string' ? JSON.stringify(value) : received(value)}; write ${place}: ${only}${newer}`;
  }
  const near = typeof value === 'string' ? nearest(value, words) : null;
  const written = typeof value === 'string' ? `${value} is unknown` : `it cannot be ${received(value)}`;
  return near === null ? `${place}: ${written}; it is one of ${words.join(', ')}` : `${place}: ${written}; did you mean ${near}?`;
}

/** Of this API, in another version. */
function isVersion(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('transship.dev/');
}

export function received(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object'
    ? 'a map'
    : typeof value === 'string'
      ? `the text ${JSON.stringify(value)}`
      : `the ${typeof value} ${JSON.stringify(value)}`;
}

/** Some messages of the schema start with the key. */
function sentence(path: Path, message: string): string {
  const plain = message.replace(/^Invalid input: /, '');
  return plain.startsWith(String(path.at(-1))) ? plain : `${placeOf(path)}: ${plain}`;
}

/** The keys of the path; the finding itself names the rule. */
function placeOf(path: Path): string {
  const [section, index, ...below] = path;
  const keys = section === 'rules' && typeof index === 'number' && below.length > 0 ? below : path;
  return keys.length === 0 ? 'the file' : keys.join('.');
}

export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined),
    document,
  );
}

function steps(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}
