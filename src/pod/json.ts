/**
 * Reads a pod that was not validated: admission runs before validation, so any JSON value can be anywhere (kubernetes/apiserver,
 * pkg/endpoints/handlers/create.go). A value of the wrong type counts as absent.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member; `__proto__` and `constructor` are ordinary names. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function text(value: unknown, key: string): string | null {
  const found = member(value, key);
  return typeof found === 'string' ? found : null;
}

export function list(value: unknown, key: string): readonly unknown[] {
  const found = member(value, key);
  return Array.isArray(found) ? found : [];
}

/** The string members of a map such as labels; others are ignored. */
export function strings(value: unknown, key: string): Readonly<Record<string, string>> {
  const found = member(value, key);
  if (!isObject(found)) return {};
  return areStrings(found) ? found : onlyStrings(found);
}

function areStrings(found: JsonObject): found is Readonly<Record<string, string>> {
  return Object.values(found).every((entry) => typeof entry === 'string');
}

function onlyStrings(found: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
