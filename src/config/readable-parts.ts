/**
 * What remains of a policy without the values that the schema refuses, so that errors of the other parts are found in the same run. Every
 * rule and registry keeps its place and its name; what remains is never used to decide.
 */
import type * as z from 'zod';
import { isObject } from '../pod/json.ts';
import type { RewritePolicy } from '../policy/types.ts';
import { policySchema } from './schema.ts';

type Issue = Pick<z.core.$ZodIssue, 'path'> & { readonly keys?: readonly string[] };

/** A value that is removed may be one that another needs, which is removed then. */
const maxRounds = 4;

/** Null where too little remains. @param document the whole file as plain values */
export function readableParts(document: unknown, issues: readonly Issue[]): RewritePolicy | null {
  const rest: unknown = structuredClone(document);
  let open = issues;
  for (let round = 0; round < maxRounds; round += 1) {
    if (!isObject(rest) || !open.every((issue) => remove(rest, issue))) return null;
    const parsed = policySchema.safeParse(rest, { reportInput: false });
    if (parsed.success) return parsed.data;
    open = parsed.error.issues;
  }
  return null;
}

/** @returns false where nothing can be known without the value */
function remove(policy: object, { path, keys = [] }: Issue): boolean {
  const [section, entry, key] = path;
  if (section === undefined) return removeKeys(policy, keys);
  const value: unknown = Reflect.get(policy, section);
  switch (section) {
    case 'rules':
      if (!Array.isArray(value) || typeof entry !== 'number') return false;
      value[entry] = withoutKeys(value[entry], key === undefined ? keys : [String(key)]);
      return true;
    case 'registries':
      if (!isObject(value) || entry === undefined) return false;
      // Rules that name the registry are right.
      Object.assign(value, { [entry]: { host: 'registry.invalid' } });
      return true;
    case 'apiVersion':
    case 'kind':
      Object.assign(policy, { apiVersion: 'transship.dev/v1', kind: 'RewritePolicy' });
      return true;
    default:
      return Reflect.deleteProperty(policy, section);
  }
}

function removeKeys(value: object, keys: readonly string[]): boolean {
  return keys.length > 0 && keys.every((key) => Reflect.deleteProperty(value, key));
}

function withoutKeys(rule: unknown, keys: readonly string[]): unknown {
  if (isObject(rule) && !keys.includes('match') && removeKeys(rule, keys)) return rule;
  const name = isObject(rule) && !keys.includes('name') && typeof rule['name'] === 'string' ? { name: rule['name'] } : {};
  // Without its patterns nothing is known about where it writes to.
  return { ...name, match: { images: ['*'] } };
}
