/** Values that contradict each other, which the chart refuses with a sentence. */
import type { Test } from 'tap';

import { template, type Values } from './chart.ts';

/** Values that must stop the render with this sentence, and how little makes them right. */
export interface Conflict {
  readonly values: Values;
  readonly sentence: string;
  readonly right: Values;
}

export const policyHead = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
export const withHostFrom = { inline: { registries: { dev: { hostFrom: { localRegistryHosting: true } } } } };

export async function stopTheRender(t: Test, conflicts: readonly Conflict[]): Promise<void> {
  for (const { values, sentence, right } of conflicts) {
    const refused = await template(values);
    t.equal(refused.code, 1, sentence);
    t.ok(refused.stderr.includes(sentence), refused.stderr);
    const accepted = await template(right);
    t.equal(accepted.code, 0, `${JSON.stringify(right)} ${accepted.stderr}`);
  }
}
