/**
 * What every figure of the server is compared with: the least that a Node HTTPS webhook can be. `parse` reads the JSON of the body and
 * answers a fixed review, `drop` throws the body away. Arguments: which, certificate file, key file.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [kind, certFile = '', keyFile = ''] = process.argv.slice(2);
const patch = Buffer.from(JSON.stringify([{ op: 'replace', path: '/spec/containers/0/image', value: 'proxy.example.com/proxy/my-app/quay.io/acme/service-1:1.1.0' }])).toString('base64');
const response = { uid: 'b2d9a0d2-6a5e-4c43-9d27-3f4f0a1f6b11', allowed: true, patchType: 'JSONPatch', patch };
const answer = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) };

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile), keepAliveTimeout: 120_000 }, (request, reply) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (kind === 'parse' && chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString('utf8'));
    reply.writeHead(200, headers).end(answer);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stderr.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0, msg: 'listening' })}\n`);
});
