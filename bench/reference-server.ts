/**
 * What every figure of the server is compared with: the least that a Node HTTPS webhook can be. `parse` reads the JSON of the body and
 * answers a fixed review, `answer` takes over the uid as a real one must, `drop` throws the body away. Arguments: which, certificate
 * file, key file.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [kind, certFile = '', keyFile = ''] = process.argv.slice(2);
/** As large as what transship answers to the pods and reviews of the bench. */
const rewritten = (list: string, index: number, service: number): object => ({
  op: 'replace',
  path: `/spec/${list}/${index}/image`,
  value: `proxy.example.com/proxy/my-app/quay.io/acme/service-${service}:1.${service}.0`,
});
const originals = JSON.stringify({
  'service-0': 'quay.io/acme/service-0:1.0.0',
  'service-1': 'quay.io/acme/service-1:1.1.0',
  'service-2': 'quay.io/acme/service-2:1.2.0',
});
const operations = [
  rewritten('containers', 0, 1),
  rewritten('containers', 1, 2),
  rewritten('initContainers', 0, 0),
  { op: 'add', path: '/spec/imagePullSecrets', value: [{ name: 'proxy-credentials' }] },
  { op: 'add', path: '/metadata/annotations', value: { 'transship.dev/original-images': originals } },
];
const patch = Buffer.from(JSON.stringify(operations)).toString('base64');

function answerTo(uid: string): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, patchType: 'JSONPatch', patch },
  });
}

const fixed = answerTo('b2d9a0d2-6a5e-4c43-9d27-3f4f0a1f6b11');

function answer(body: Buffer): string {
  if (kind === 'drop' || body.length === 0) return fixed;
  const { request } = JSON.parse(body.toString('utf8'));
  return kind === 'answer' ? answerTo(request.uid) : fixed;
}

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile), keepAliveTimeout: 120_000 }, (request, reply) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const text = answer(Buffer.concat(chunks));
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stderr.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0, msg: 'listening' })}\n`);
});
