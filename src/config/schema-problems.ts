/** What the schema refuses, in words that name the key and the remedy. */
import type * as z from 'zod';
import { nearest } from '../rules/nearest.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { knownKeys } from './json-schema.ts';

type Issue = z.core.$ZodIssue;
export type SchemaProblem = PolicyProblem & { readonly key?: boolean };

export function schemaProblems(issues: readonly Issue[]): SchemaProblem[] {
  return issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue.path, issue.keys) : [other(issue)]));
}

function unknownKeys(path: readonly PropertyKey[], keys: readonly string[]): SchemaProblem[] {
  const known = knownKeys(path);
  return keys.map((key) => {
    const near = nearest(key, known);
    const remedy = near === null ? `known keys here are ${known.join(', ')}` : `did you mean ${near}?`;
    return { severity: 'error', path: [...steps(path), key], key: true, message: `unknown key ${key}; ${remedy}` };
  });
}

function other(issue: Issue): SchemaProblem {
  const path = steps(issue.path);
  const place = placeOf(path);
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    return { severity: 'error', path, message: `${place} is missing; it must be ${article(issue.expected)}` };
  }
  const message = issue.message.replace(/^Invalid input: /, '');
  // Some sentences of the schema begin with the key that they are about.
  return { severity: 'error', path, message: message.startsWith(String(path.at(-1))) ? message : `${place}: ${message}` };
}

/** The keys that lead to a value; the finding itself says which rule it is in. */
function placeOf(path: readonly (string | number)[]): string {
  const [section, index, ...below] = path;
  const keys = section === 'rules' && typeof index === 'number' && below.length > 0 ? below : path;
  return keys.length === 0 ? 'the file' : keys.join('.');
}

function article(noun: string): string {
  return `${/^[aeio]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

function steps(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}
