/**
 * A registry with faults, before the private registry of the node: `node failing-registry.ts PORT TLS-PORT FOLDER`. Both ports pass requests
 * on. PORT answers 429 for repositories below `limited/`, as Docker Hub does above its limit; TLS-PORT has the certificate of FOLDER, which
 * no node trusts.
 */
import { readFileSync } from 'node:fs';
import { createServer, request, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';

import { nodeAddress, privateRegistry } from './settings.ts';

const [port, tlsPort, folder = ''] = process.argv.slice(2);

const passOn: RequestListener = (incoming, response) => {
  const { method, url: path, headers } = incoming;
  const [host, upstreamPort] = privateRegistry.address.split(':');
  const outgoing = request({ host, port: upstreamPort, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.writeHead(502).end());
  incoming.pipe(outgoing);
};

const limited: RequestListener = (incoming, response) => {
  if (incoming.url?.startsWith('/v2/limited/') !== true) return passOn(incoming, response);
  const errors = [{ code: 'TOOMANYREQUESTS', message: 'You have reached your pull rate limit.' }];
  response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '600' }).end(JSON.stringify({ errors }));
};

createServer(limited).listen(Number(port), nodeAddress);
const pair = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) };
createTlsServer(pair, passOn).listen(Number(tlsPort), nodeAddress);
