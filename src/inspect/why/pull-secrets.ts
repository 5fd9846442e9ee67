/** Whether the pull secrets of a pod are there, and have an entry that a kubelet takes for each image. Pure. */
import type { V1Secret } from '@kubernetes/client-node';
import { referenceOf } from '../../image/reference.ts';
import { Keyring } from '../../registry/keyring.ts';
import { readPullSecret, type PullSecretEntry } from '../../registry/pull-secret.ts';
import type { Remedied } from '../opt-in.ts';

/** By name; null where the Secret does not exist. */
export type Secrets = ReadonlyMap<string, V1Secret | null>;

/** @param images as the pod has them now */
export function secretProblems(namespace: string, secrets: Secrets, images: readonly string[]): Remedied[] {
  const problems: Remedied[] = [];
  const entries: PullSecretEntry[] = [];
  for (const [name, secret] of secrets) {
    if (secret === null) {
      problems.push({
        code: 'secret-missing',
        sentence: `namespace ${namespace} has no Secret ${name}`,
        remedy: 'give its registry `credentials`, so that the controller copies it, or create it: kubectl create secret docker-registry',
      });
      continue;
    }
    const read = readPullSecret({ type: secret.type, data: secret.data });
    if (read.result === 'read') entries.push(...read.entries);
    else
      problems.push({
        code: 'secret-unusable',
        sentence: `Secret ${name} ${read.problem}`,
        remedy: 'create it again with kubectl create secret docker-registry',
      });
  }
  if (secrets.size === 0 || problems.length > 0) return problems;
  const keyring = new Keyring(entries);
  const unmatched = images.filter((image) => {
    const reference = referenceOf(image);
    return reference !== null && keyring.lookup(reference.name).length === 0;
  });
  return [...new Set(unmatched)].map((image) => ({
    code: 'secret-without-host',
    sentence: `none of the pull secrets (${[...secrets.keys()].join(', ')}) has an entry for ${image}`,
    remedy: 'nothing, if the registry asks for no password; else make the Secret for the host of that image',
  }));
}
