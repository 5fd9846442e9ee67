/** Detects files of other kinds that are given as a policy: one message that says where the policy is, instead of an error per key. */
import { isObject } from '../pod/json.ts';
import type { PolicyPath } from '../policy/problem.ts';

export interface OtherDocument {
  readonly path: PolicyPath;
  readonly message: string;
}

/** @returns null for what may be a policy */
export function otherDocument(value: unknown): OtherDocument | null {
  if (!isObject(value)) return null;
  const { rewritePolicy, kind, apiVersion } = value;
  if (rewritePolicy !== undefined)
    return {
      path: ['rewritePolicy'],
      message: 'these are values of the chart; the policy is under rewritePolicy.inline: check that alone',
    };
  if (typeof kind !== 'string' || kind === 'RewritePolicy' || typeof apiVersion !== 'string' || apiVersion.startsWith('transship.dev/'))
    return null;
  if (kind === 'ConfigMap') return { path: ['kind'], message: `this is a ConfigMap; ${inConfigMap(value['data'])}` };
  return { path: ['kind'], message: `this is a ${kind}, not a policy; \`transship explain -f\` decides the images of manifests` };
}

function inConfigMap(data: unknown): string {
  const key = isObject(data) ? Object.keys(data).find((name) => /\bRewritePolicy\b/.test(String(data[name]))) : undefined;
  if (key === undefined) return 'it holds no policy';
  return `the policy is the text under data: kubectl get configmap NAME -o jsonpath='{.data.${key.replaceAll('.', String.raw`\.`)}}' | transship lint -`;
}
