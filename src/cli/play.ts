/** `transship play`: a page to try policies in. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createLog } from '../observe/log.ts';
import { playgroundPage } from '../playground/page.ts';
import type { Closing } from '../process/shutdown.ts';
import { printed } from '../text/printable.ts';
import { command } from './command.ts';
import { playFlags } from './flags.ts';
import { readText } from './input.ts';
import { write } from './output.ts';
import { programFile } from './program-files.ts';
import { runUntilSignal } from './run-until-signal.ts';

export const playCommand = command({
  name: 'play',
  summary: 'a page to try policies in',
  usage: `transship play [flags]

Serves one page, over HTTP and to this machine only unless told otherwise, until Ctrl-C: a policy at the left with its findings as you type, images or manifests at the
right, and what becomes of each image by which rule and why. The page has the engine in it, so nothing that is typed leaves it; saved as a file, it works the same.`,
  flags: playFlags,
  withoutOperands: 'name a policy to begin with by --policy',
  run: async ({ values }, io) => {
    const policy = values.policy === null ? programFile('examples/sample.yaml') : await readText(values.policy, io);
    const page = Buffer.from(await playgroundPage(policy));
    const start = async (): Promise<Closing> => {
      const server = pageServer(page);
      server.listen({ host: values.host, port: values.port });
      await once(server, 'listening');
      await write(io.stdout, printed`http://${urlHost(values.host)}:${portOf(server)}/\n`);
      return {
        startDraining: () => server.closeIdleConnections(),
        close: () => closed(server),
        destroy: () => server.closeAllConnections(),
      };
    };
    await runUntilSignal(start, { log: createLog('warn'), drainTime: 0 });
    return 0;
  },
});

function pageServer(page: Buffer): Server {
  return createServer((request, response) => {
    const isPage = request.url === '/' && (request.method === 'GET' || request.method === 'HEAD');
    const type = isPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
    response.writeHead(isPage ? 200 : 404, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    response.end(isPage ? page : 'there is one page, at /\n');
  });
}

async function closed(server: Server): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await once(server, 'close');
}

/** An IPv6 address stands in brackets: RFC 3986, 3.2.2. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function portOf(server: Server): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return (server.address() as AddressInfo).port;
}
