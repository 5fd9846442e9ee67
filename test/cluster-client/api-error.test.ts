import { test } from 'tap';

import {
  ApiError,
  describeError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  retryable,
  retryAfterOf,
  statusOf,
} from '../../src/cluster/api-error.ts';

/** What the client library throws. */
const exception = (code: number, body: unknown, headers: Record<string, string> = {}): Error =>
  Object.assign(new Error(`HTTP-Code: ${code}\nMessage: x\nBody: planted-secret\nHeaders: planted-secret`), { code, body, headers });
const refused = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
const fetchFailed = (code: string): Error => new TypeError('fetch failed', { cause: refused(code) });
const status = (reason: string, message: string, more: object = {}) => ({ kind: 'Status', reason, message, ...more });

test('what an error means', (t) => {
  const table: [error: unknown, status: number | null, retryable: boolean, line: string][] = [
    [new ApiError('GET /x', 404, status('NotFound', 'secrets "a" not found')), 404, false, 'GET /x: 404 NotFound: secrets "a" not found'],
    [new ApiError('GET /x', 403, status('Forbidden', 'no\n rights')), 403, false, 'GET /x: 403 Forbidden: no rights'],
    [new ApiError('GET /x', 429, null), 429, true, 'GET /x: 429'],
    [new ApiError('GET /x', 502, '<html>planted-secret</html>'), 502, true, 'GET /x: 502'],
    [
      new ApiError('PUT /x', 422, status('Invalid', 'planted-secret', { details: { causes: [{ field: 'data' }, {}] } })),
      422,
      false,
      'PUT /x: 422 Invalid: see data',
    ],
    [new ApiError('PUT /x', 500, status('InternalError', 'planted-secret')), 500, true, 'PUT /x: 500 InternalError'],
    [exception(409, status('Conflict', 'it was modified')), 409, false, '409 Conflict: it was modified'],
    [exception(400, 'planted-secret'), 400, false, '400'],
    [exception(410, JSON.stringify(status('Expired', 'too old'))), 410, false, '410 Expired: too old'],
    [refused('ECONNREFUSED'), null, true, 'connect ECONNREFUSED 127.0.0.1:1'],
    [fetchFailed('ECONNRESET'), null, true, 'fetch failed (ECONNRESET)'],
    [fetchFailed('UND_ERR_HEADERS_TIMEOUT'), null, true, 'fetch failed (UND_ERR_HEADERS_TIMEOUT)'],
    [refused('DEPTH_ZERO_SELF_SIGNED_CERT'), null, false, 'connect DEPTH_ZERO_SELF_SIGNED_CERT 127.0.0.1:1'],
    [new DOMException('timed out', 'TimeoutError'), null, true, 'timed out'],
    [new DOMException('stopped', 'AbortError'), null, false, 'stopped'],
    [new Error(''), null, false, 'Error'],
    ['only text', null, false, 'only text'],
    [undefined, null, false, 'undefined'],
  ];
  for (const [error, expectedStatus, expectedRetry, line] of table) {
    t.equal(statusOf(error), expectedStatus, `status: ${line}`);
    t.equal(retryable(error), expectedRetry, `retryable: ${line}`);
    t.equal(describeError(error), line);
    t.notMatch(describeError(error), /planted-secret/);
  }
  t.end();
});

test('questions', (t) => {
  t.ok(isNotFound(exception(404, null)));
  t.ok(isForbidden(exception(403, null)));
  t.ok(isGone(exception(410, null)));
  t.ok(isConflict(exception(409, null)));
  t.notOk(isConflict(refused('ECONNRESET')));
  t.ok(isAlreadyExists(exception(409, status('AlreadyExists', ''))));
  t.notOk(isAlreadyExists(exception(409, status('Conflict', ''))));
  t.ok(isAlreadyExists(new ApiError('POST /x', 409, status('AlreadyExists', ''))));
  t.end();
});

test('how long the server asks to wait, in milliseconds', (t) => {
  t.equal(retryAfterOf(new ApiError('x', 429, null, 3000)), 3000);
  t.equal(retryAfterOf(new ApiError('x', 500, status('ServerTimeout', '', { details: { retryAfterSeconds: 2 } }))), 2000);
  t.equal(retryAfterOf(exception(429, null, { 'retry-after': '1' })), 1000);
  t.equal(retryAfterOf(exception(429, null, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' })), null);
  t.equal(retryAfterOf(exception(429, null)), null);
  t.equal(retryAfterOf(new Error('no')), null);
  t.end();
});

test('a line stays a line', (t) => {
  const long = describeError(new Error('x'.repeat(5000)));
  t.equal(long.length, 300);
  t.match(long, /x…$/);
  t.end();
});
