/**
 * The JSON Patch operations (RFC 6902) that transship uses. There is no `test`: a patch that does not apply rejects the pod whatever the
 * failurePolicy (kubernetes/apiserver, pkg/admission/plugin/webhook/mutating/dispatcher.go).
 */

export type PatchValue = string | readonly PatchValue[] | { readonly [key: string]: PatchValue };

export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: PatchValue }
  | { readonly op: 'remove'; readonly path: string };

export function add(path: string, value: PatchValue): Operation {
  return { op: 'add', path, value };
}

export function replace(path: string, value: PatchValue): Operation {
  return { op: 'replace', path, value };
}

export function remove(path: string): Operation {
  return { op: 'remove', path };
}
