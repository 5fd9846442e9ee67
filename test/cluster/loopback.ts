/** A loopback network for one cluster: 127.N.0.0/16 is its own, so two clusters at once never meet and every port can be a fixed one. */
import { createServer, type Server } from 'node:net';

/** Ports below the range that the kernel hands out by itself, and none that another cluster's tools use on all addresses. */
const ports = { lock: 22_378, etcd: 22_379, etcdPeer: 22_380, apiServer: 26_443, kwok: 20_247 } as const;

const firstNetwork = 64;
const networks = 64;

export interface Loopback {
  /** Services get their ClusterIPs from here: a process on this machine can listen on each of them. */
  readonly serviceCidr: string;
  /** Where the cluster's own programs listen; outside of the service range. */
  readonly address: string;
  readonly ports: typeof ports;
  release(): Promise<void>;
}

/** Takes a free network. Throws when all 64 are taken, or when this system has only 127.0.0.1. */
export async function reserveLoopback(): Promise<Loopback> {
  const start = Math.floor(Math.random() * networks);
  for (let step = 0; step < networks; step++) {
    const network = firstNetwork + ((start + step) % networks);
    const address = `127.${network}.255.1`;
    const lock = await listen(address, ports.lock);
    if (lock === undefined) continue;
    if (await allFree(address)) return { serviceCidr: `127.${network}.0.0/17`, address, ports, release: () => close(lock) };
    await close(lock);
  }
  const taken = Object.values(ports).join(', ');
  throw new Error(
    `no free network in 127.${firstNetwork}.0.0/10: ${networks} clusters run, or a program listens on port ${taken} on all addresses`,
  );
}

/** The lock is a listening socket: taken at once by one process only, and given back by the kernel when that one dies. */
async function listen(host: string, port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve(server.unref()));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') return resolve(undefined);
      const remedy = 'the test cluster needs all of 127.0.0.0/8 on the loopback interface, as Linux has it';
      reject(error.code === 'EADDRNOTAVAIL' ? new Error(`cannot listen on ${host}: ${remedy}`, { cause: error }) : error);
    });
    server.listen(port, host);
  });
}

async function allFree(address: string): Promise<boolean> {
  for (const port of Object.values(ports)) {
    if (port === ports.lock) continue;
    const probe = await listen(address, port);
    if (probe === undefined) return false;
    await close(probe);
  }
  return true;
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
