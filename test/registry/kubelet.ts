/** The kubelet's own code, asked what it makes of pull secrets: the program `keyring` of the test cluster. */
import { spawnSync } from 'node:child_process';

import type { PullSecretEntry } from '../../src/registry/pull-secret.ts';
import { binary } from '../cluster/binaries.ts';

export interface Question {
  /** Values of `data` are text. */
  readonly secrets: readonly { readonly type: string; readonly data: Readonly<Record<string, string>> }[];
  readonly image: string;
}

export interface Answer {
  readonly refused: boolean;
  readonly credentials: readonly string[];
}

/** `user:password` of each. */
export const shown = (entries: readonly Pick<PullSecretEntry, 'username' | 'password'>[]): string[] =>
  entries.map(({ username, password }) => `${username}:${password}`);

/** Answers of the kubelet's code, in the order of the questions. */
export function askKubelet(questions: readonly Question[]): Answer[] {
  const input = questions.map((question) => JSON.stringify(question)).join('\n');
  const { stdout, stderr, status } = spawnSync(binary('keyring'), { input: `${input}\n`, encoding: 'utf8', maxBuffer: 64 << 20 });
  if (status !== 0) throw new Error(stderr);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => {
    const { error, credentials } = JSON.parse(line) as { error?: string; credentials: PullSecretEntry[] };
    return { refused: error !== undefined, credentials: shown(credentials) };
  });
}
