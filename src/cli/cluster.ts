/** What the commands that read a cluster have in common. */
import { connect } from '../cluster/connection.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { clusterView, type ClusterView, type Unseen } from '../inspect/view.ts';
import { joined, printed, type Printable } from '../text/printable.ts';

export interface ClusterChoice {
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

/** Connects, looks, and closes the connection. */
export async function inCluster<T>({ kubeconfig, context }: ClusterChoice, look: (view: ClusterView) => Promise<T>): Promise<T> {
  const cluster = await connect({ ...(kubeconfig !== null && { kubeconfig }), ...(context !== null && { context }) });
  try {
    return await look(clusterView(cluster));
  } finally {
    await cluster.close();
  }
}

/** @throws OperatorError (USAGE) unless there is exactly one operand */
export function one(operands: readonly string[], remedy: string): string {
  const [operand, more] = operands;
  if (operand === undefined) throw new OperatorError('USAGE', 'nothing is named', remedy);
  if (more !== undefined) throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(more)}`, 'name one at a time');
  return operand;
}

/** What could not be seen, so that silence never means "all is well". */
export function notSeen(unseen: readonly Unseen[]): Printable {
  if (unseen.length === 0) return printed``;
  return joined([printed`\nCould not see:\n`, ...unseen.map(({ what, why }) => printed`  ${what}: ${why}\n`)]);
}
