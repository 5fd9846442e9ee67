/** What a Service is on the way to its pods: each new connection goes to the next ready one, and stays there until either side ends it. */
import { connect, createServer, type Socket } from 'node:net';

import type { TestScope } from '../cluster/control-plane.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ServiceProxy {
  /** The pods that new connections go to from now on; those that are open stay where they are. */
  route(ready: readonly Address[]): void;
  /** Connections that came in so far. */
  connections(): number;
}

/** Listens on the Service's address until the test ends. As kube-proxy, it does not try another pod when one refuses. */
export async function startServiceProxy(t: TestScope, address: Address): Promise<ServiceProxy> {
  let backends: readonly Address[] = [];
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const backend = backends[connections++ % backends.length];
    if (backend === undefined) return void client.destroy();
    const pod = connect({ ...backend, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, pod],
      [pod, client],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      // An error is followed by `close`, and a reset must reach the other side as well.
      socket.on('error', () => other.destroy());
      socket.once('close', () => open.delete(socket));
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve));
  t.teardown(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  );
  return { route: (ready) => void (backends = ready), connections: () => connections };
}
