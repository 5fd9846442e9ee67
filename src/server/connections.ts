/** Every open connection of a server, those that never sent a request among them, so that all of them can be ended. */
import type { Server, Socket } from 'node:net';

export interface Connections {
  /** Ends them all, whatever is on its way. */
  readonly destroy: () => void;
}

/**
 * `closeAllConnections()` of Node knows the connections that have come as far as HTTP. One that stopped before its TLS handshake
 * would keep `close()` waiting for two minutes, and the kubelet would then kill the process.
 */
export function trackConnections(server: Server): Connections {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return {
    destroy: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
