/** What clients of both routes get: answers, and for anything else a status, a code and a sentence. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fjp from 'fast-json-patch';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { call, get, type Answer, type Call } from './call.ts';
import { metricsOf, running } from './running.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27', app: 'quay.io/acme/app:1' } }) });
const mebibyte = 1024 * 1024;

test('a review is answered with its uid and a patch that applies', async (t) => {
  const server = await running(t);
  const genuine = JSON.parse(await readFile(new URL('../../examples/admission-review.json', import.meta.url), 'utf8'));
  const { status, headers, text } = await call(server, { path: '/mutate?timeout=5s', body: genuine });
  t.equal(status, 200);
  t.match(headers['content-type'], /^application\/json/);
  const { response, ...envelope } = JSON.parse(text);
  t.same(envelope, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
  t.match(response, { uid: genuine.request.uid, allowed: true, patchType: 'JSONPatch' });
  const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString());
  const after = fjp.applyPatch(genuine.request.object, patch, true).newDocument;
  t.equal(after.spec.containers[0].image, 'localhost:30500/library/nginx:1.27');
  t.same(after.spec.imagePullSecrets, [{ name: 'replicatedregistrykey' }]);
});

test('/shadow tells and never patches', async (t) => {
  const { response } = JSON.parse((await call(await running(t), { path: '/shadow', body: review })).text);
  t.same(Object.keys(response).toSorted(), ['allowed', 'auditAnnotations', 'uid', 'warnings']);
  t.match(response.warnings[0], /would become localhost:30500\/library\/nginx:1\.27$/);
});

interface Refused {
  readonly name: string;
  readonly send: Call;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
}

const withRequest = (request: object): object => ({ ...review, request });
const { uid: _uid, ...withoutUid } = review.request;

const refusals: readonly Refused[] = [
  { name: 'an empty body', send: {}, status: 400, code: 'BODY_NOT_JSON', says: /empty/ },
  {
    name: 'an empty body without a content type or length',
    send: { headers: { 'transfer-encoding': 'chunked', 'content-type': null } },
    status: 400,
    code: 'BODY_NOT_JSON',
    says: /empty/,
  },
  { name: 'no JSON', send: { body: 'apiVersion: v1' }, status: 400, code: 'BODY_NOT_JSON', says: /not JSON/ },
  { name: 'truncated JSON', send: { body: JSON.stringify(review).slice(0, -20) }, status: 400, code: 'BODY_NOT_JSON', says: /not JSON/ },
  {
    name: 'bytes that are no text',
    send: { body: Buffer.from([0xff, 0xfe, 0x00, 0x80]) },
    status: 400,
    code: 'BODY_NOT_JSON',
    says: /not JSON/,
  },
  {
    name: 'JSON that nests without end',
    send: { body: `{"kind":${'['.repeat(1_000_000)}` },
    status: 400,
    code: 'BODY_NOT_JSON',
    says: process.env['TRANSSHIP_REVIEW_CACHE'] === 'false' ? /Unexpected end/ : /too deep/,
  },
  {
    name: 'protobuf',
    send: { body: Buffer.from('k8s\0\n\x0f'), headers: { 'content-type': 'application/vnd.kubernetes.protobuf' } },
    status: 400,
    code: 'BODY_NOT_JSON',
    says: /uncompressed JSON/,
  },
  {
    name: 'gzip',
    send: { body: gzipSync(JSON.stringify(review)), headers: { 'content-encoding': 'gzip' } },
    status: 400,
    code: 'BODY_ENCODED',
    says: /gzip/,
  },
  { name: 'null', send: { body: 'null' }, status: 400, code: 'REVIEW_INVALID', says: /not a JSON object/ },
  { name: 'a list', send: { body: [review] }, status: 400, code: 'REVIEW_INVALID', says: /not a JSON object/ },
  {
    name: 'a bare pod',
    send: { body: review.request.object as object },
    status: 400,
    code: 'REVIEW_INVALID',
    says: /kind must be AdmissionReview, not "Pod"/,
  },
  {
    name: 'v1beta1',
    send: { body: { ...review, apiVersion: 'admission.k8s.io/v1beta1' } },
    status: 400,
    code: 'REVIEW_INVALID',
    says: /admission\.k8s\.io\/v1, not "admission\.k8s\.io\/v1beta1"/,
  },
  { name: 'an answer instead of a request', send: { body: withRequest([]) }, status: 400, code: 'REVIEW_INVALID', says: /request/ },
  { name: 'no uid', send: { body: withRequest(withoutUid) }, status: 400, code: 'REVIEW_INVALID', says: /uid/ },
  { name: 'an empty uid', send: { body: withRequest({ ...review.request, uid: '' }) }, status: 400, code: 'REVIEW_INVALID', says: /uid/ },
  { name: '38 MiB with a length', send: { body: Buffer.alloc(38 * mebibyte, ' ') }, status: 413, code: 'BODY_TOO_LARGE', says: /37 MiB/ },
  {
    name: '38 MiB in chunks',
    send: { body: Buffer.alloc(38 * mebibyte, ' '), headers: { 'transfer-encoding': 'chunked' } },
    status: 413,
    code: 'BODY_TOO_LARGE',
    says: /37 MiB/,
  },
  { name: 'GET /mutate', send: { method: 'GET' }, status: 404, code: 'NOT_FOUND', says: /GET \/mutate/ },
  { name: 'PUT', send: { method: 'PUT', body: review }, status: 404, code: 'NOT_FOUND', says: /PUT/ },
  { name: 'another path', send: { path: '/validate', body: review }, status: 404, code: 'NOT_FOUND', says: /\/validate/ },
  { name: 'a slash too many', send: { path: '/mutate/', body: review }, status: 404, code: 'NOT_FOUND', says: /\/mutate\// },
  { name: 'the root', send: { method: 'GET', path: '/' }, status: 404, code: 'NOT_FOUND', says: /POST to \/mutate/ },
  {
    name: 'metrics, which have a port of their own',
    send: { method: 'GET', path: '/metrics' },
    status: 404,
    code: 'NOT_FOUND',
    says: /\/metrics/,
  },
  {
    name: 'a content type that is none',
    send: { body: review, headers: { 'content-type': ';;' } },
    status: 400,
    code: 'REQUEST_INVALID',
    says: /media type/i,
  },
  { name: 'a path that is no URL', send: { path: '/%zz' }, status: 400, code: 'REQUEST_INVALID', says: /%zz/ },
];

test('error responses have a status, a code and a message, and the server goes on', async (t) => {
  const server = await running(t);
  for (const { name, send, status, code, says } of refusals) {
    const answer = await call(server, send);
    t.equal(answer.status, status, name);
    t.match(answer.headers['content-type'], /^text\/plain/, `${name}: the API server passes nothing else on`);
    const { code: given, error, ...rest } = JSON.parse(answer.text);
    t.equal(given, code, `${name}: code`);
    t.match(error, says, `${name}: sentence`);
    t.same(rest, {}, `${name}: and nothing else`);
    t.equal((await call(server, { body: review })).status, 200, `after ${name}`);
  }
});

test('a rejected body is not quoted in the response or the log: V8 quotes the text around the error', async (t) => {
  const server = await running(t);
  const secret = 'hunter2';
  for (const body of [secret, `{"password": ${secret}}`, `{"env": [{"name": "A", "value": "${secret}" x}]}`, `{"value": "${secret}`]) {
    const { text } = await call(server, { body });
    t.notMatch(text, secret, body);
  }
  t.equal(server.lines.length, 4);
  t.notMatch(JSON.stringify(server.lines), secret);
});

test('a body of just 37 MiB is read; a larger one is counted, and its connection goes on', async (t) => {
  const server = await running(t);
  const padded = JSON.stringify(review).padEnd(37 * mebibyte, ' ');
  t.equal((await call(server, { body: padded })).status, 200);
  const { status, headers } = await call(server, { body: `${padded} ` });
  t.equal(status, 413);
  t.not(headers['connection'], 'close');
  t.equal((await metricsOf(server)).get('transship_rejected_requests_total{code="BODY_TOO_LARGE"}'), 1);
  t.match(server.lines.at(-1), { level: 'warn', code: 'BODY_TOO_LARGE', msg: /more than 37 MiB/ });
});

const accepted: readonly (readonly [name: string, Call])[] = [
  ['a content type with parameters', { headers: { 'content-type': 'application/json; charset=utf-8' } }],
  ['another content type', { headers: { 'content-type': 'text/plain' } }],
  ['no content type', { headers: { 'content-type': null } }],
  ["the API server's accept header", { headers: { accept: 'application/json, */*' } }],
  ['a query', { path: '/mutate?timeout=10s' }],
];

test('JSON is taken whatever it is called', async (t) => {
  const server = await running(t);
  for (const [name, send] of accepted) {
    const { status, text }: Answer = await call(server, { body: review, ...send });
    t.equal(status, 200, name);
    t.type(JSON.parse(text).response.patch, 'string', name);
  }
});

test('__proto__ and constructor in a pod are plain data', async (t) => {
  const server = await running(t);
  const body = JSON.stringify(review).replace(
    '"metadata":{',
    '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"metadata":{"__proto__":{"annotations":{"a":"b"}},',
  );
  const { status, text } = await call(server, { body });
  t.equal(status, 200);
  t.type(JSON.parse(text).response.patch, 'string');
  t.equal(Reflect.get({}, 'polluted'), undefined);
});

test('probes answer without a word of TLS identity or a body', async (t) => {
  const server = await running(t);
  for (const path of ['/healthz', '/readyz']) {
    const { status, text, headers } = await get(server, path);
    t.equal(status, 200, path);
    t.equal(text, 'ok\n', path);
    t.match(headers['content-type'], /^text\/plain/, path);
  }
  t.equal((await call(server, { method: 'HEAD', path: '/readyz' })).status, 200);
  t.equal((await call(server, { path: '/readyz' })).status, 404, 'POST');
});

test('an internal error admits the pod unchanged, and is logged and counted', async (t) => {
  const server = await running(t);
  Object.defineProperty(server.webhook.revision().compiled, 'table', {
    get: () => {
      throw new Error('planted');
    },
  });
  const { status, text } = await call(server, { body: review });
  t.equal(status, 200);
  t.same(JSON.parse(text).response, { uid: review.request.uid, allowed: true });
  t.match(server.lines.at(-1), { level: 'error', uid: review.request.uid, err: { message: 'planted' } });
  t.equal((await metricsOf(server)).get('transship_reviews_total{mode="enforce",result="failed"}'), 1);
});

test('a fault outside of the decision is a 500 that tells nothing about it', async (t) => {
  const server = await running(t);
  server.lines.push = () => {
    throw new Error('planted');
  };
  const { status, text } = await call(server, { body: review });
  t.equal(status, 500);
  t.match(JSON.parse(text), { code: 'INTERNAL', error: /see the log of the server/ });
  t.notMatch(text, 'planted');
});
