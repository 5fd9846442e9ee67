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
export async function inCluster<T>(choice: ClusterChoice, look: (view: ClusterView) => Promise<T>): Promise<T> {
  const cluster = await connect(optionsOf(choice));
  try {
    return await look(clusterView(cluster));
  } finally {
    await cluster.close();
  }
}

/** The flag, the context's own, or `default`, as kubectl chooses. */
export async function namespaceFor({ namespace, ...choice }: ClusterChoice & { readonly namespace: string | null }): Promise<string> {
  if (namespace !== null) return namespace;
  // Imported only here: the client library takes a while to load.
  const { kubeconfigNamespace } = await import('../cluster/kubeconfig.ts');
  const { kubeconfig, context } = optionsOf(choice);
  return kubeconfigNamespace(kubeconfig, context) ?? 'default';
}

function optionsOf({ kubeconfig, context }: ClusterChoice): { kubeconfig?: string; context?: string } {
  return { ...(kubeconfig !== null && { kubeconfig }), ...(context !== null && { context }) };
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
