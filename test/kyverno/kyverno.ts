/** Kyverno's own engine, asked what it makes of admission requests: the program `kyverno-mutate` of test/cluster/tools. */
import { spawnSync } from 'node:child_process';
import { parse } from 'yaml';
import { binary } from '../cluster/binaries.ts';

export interface Pod {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface PodRequest {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly subResource?: string;
  readonly object: Pod;
  readonly oldObject?: Pod;
}

export interface Question {
  /** The text of a MutatingPolicy. */
  readonly policy: string;
  readonly namespace: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly requests: readonly PodRequest[];
}

export interface Answer {
  /** The pod of each request afterwards; null where the policy leaves it alone; the sentence of an evaluation that fails. */
  readonly pods: readonly (Pod | string | null)[];
  /** Why Kyverno refuses the policy. */
  readonly error: string;
}

/** For tap's `skip`. */
export const notBuilt = 'run "npm run cluster:build -- --with-kyverno" first';

const kind = { group: '', version: 'v1', kind: 'Pod' };
const resource = { group: '', version: 'v1', resource: 'pods' };

export function askKyverno(questions: readonly Question[]): Answer[] {
  const input = questions.map((question) => JSON.stringify(asked(question))).join('\n');
  const { stdout, stderr, status } = spawnSync(binary('kyverno-mutate'), { input, encoding: 'utf8', maxBuffer: 256 << 20 });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => {
    const { results = [], error = '' } = JSON.parse(line) as { results?: { object?: Pod; error?: string }[]; error?: string };
    return { pods: results.map((result) => result.error ?? result.object ?? null), error };
  });
}

const typed = (pod: Pod): object => ({ apiVersion: 'v1', kind: 'Pod', ...pod });

function asked({ policy, namespace, requests }: Question): object {
  return {
    policy: parse(policy) as unknown,
    namespace: { metadata: namespace },
    requests: requests.map(({ object, oldObject, ...request }) => ({
      uid: '1',
      kind,
      resource,
      namespace: namespace.name,
      name: object.metadata['name'],
      userInfo: { username: 'tester' },
      object: typed(object),
      ...(oldObject === undefined ? {} : { oldObject: typed(oldObject) }),
      ...request,
    })),
  };
}
