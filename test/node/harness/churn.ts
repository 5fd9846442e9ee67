/** Pods created one after the other while something else happens: what the API server said of each. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { TestScope } from '../../cluster/control-plane.ts';
import { dryRun } from './install.ts';
import type { TestNode } from './node.ts';

export interface Churned {
  /** Image of each pod that the API server admitted. */
  readonly images: readonly (string | undefined)[];
  /** What was said of those that it refused. */
  readonly refused: readonly string[];
}

export interface Churn {
  /** Ends it when at least so many pods are answered, however long that takes on a busy machine; resolves when the last answer is there. */
  stop(least: number): Promise<Churned>;
}

/** Several pods a second, in server-side dry run, which calls webhooks as a real creation does; until it is stopped, or the test ends. */
export function churn(test: Pick<TestScope, 'teardown'>, node: TestNode, namespace: string, image: string): Churn {
  const images: (string | undefined)[] = [];
  const refused: string[] = [];
  const over = new AbortController();
  const work = (async () => {
    while (!over.signal.aborted) {
      await dryRun(node, namespace, image).then(
        (pod) => images.push(pod.spec?.containers[0]?.image),
        (error: unknown) => refused.push(String(error)),
      );
      await sleep(100);
    }
  })();
  const stop = async (least: number): Promise<Churned> => {
    while (!over.signal.aborted && images.length + refused.length < least) await sleep(100);
    over.abort();
    await work;
    return { images, refused };
  };
  test.teardown(async () => void (await stop(0)));
  return { stop };
}
