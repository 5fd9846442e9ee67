import { test } from 'tap';

import {
  ApiError,
  describeError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isNotFound,
  retryAfterOf,
  statusOf,
} from '../../src/cluster/api-error.ts';

const refused = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
const fetchFailed = (code: string): Error => new TypeError('fetch failed', { cause: refused(code) });
const status = (reason: string, message: string, more: object = {}) => ({ kind: 'Status', reason, message, ...more });

test('what an error means', (t) => {
  const table: [error: unknown, status: number | null, line: string][] = [
    [new ApiError('GET /x', 404, status('NotFound', 'secrets "a" not found')), 404, 'GET /x: 404 NotFound: secrets "a" not found'],
    [new ApiError('GET /x', 403, status('Forbidden', 'no\n rights')), 403, 'GET /x: 403 Forbidden: no rights'],
    [new ApiError('GET /x', 429, null), 429, 'GET /x: 429'],
    [new ApiError('GET /x', 502, '<html>planted-secret</html>'), 502, 'GET /x: 502'],
    [
      new ApiError('PUT /x', 422, status('Invalid', 'planted-secret', { details: { causes: [{ field: 'data' }, {}] } })),
      422,
      'PUT /x: 422 Invalid: see data',
    ],
    [new ApiError('PUT /x', 500, status('InternalError', 'planted-secret')), 500, 'PUT /x: 500 InternalError'],
    ...(
      [
        [422, `pods "a" is forbidden: `, `ValidatingAdmissionPolicy 'p' with binding 'b' denied request`, ': planted-secret'],
        [400, '', 'admission webhook "w.example.com" denied the request', ': planted-secret'],
        [
          500,
          'Internal error occurred: ',
          'failed calling webhook "w.example.com"',
          ': failed to call webhook: Post "https://planted-secret"',
        ],
      ] as const
    ).map(([code, before, refuser, after]): [Error, number, string] => [
      new ApiError('PATCH /x', code, status('Reason', `${before}${refuser}${after}`)),
      code,
      `PATCH /x: ${code} Reason: ${refuser}`,
    ]),
    [refused('ECONNREFUSED'), null, 'connect ECONNREFUSED 127.0.0.1:1'],
    [fetchFailed('ECONNRESET'), null, 'fetch failed (ECONNRESET)'],
    [fetchFailed('UND_ERR_HEADERS_TIMEOUT'), null, 'fetch failed (UND_ERR_HEADERS_TIMEOUT)'],
    [refused('DEPTH_ZERO_SELF_SIGNED_CERT'), null, 'connect DEPTH_ZERO_SELF_SIGNED_CERT 127.0.0.1:1'],
    [new DOMException('timed out', 'TimeoutError'), null, 'timed out'],
    [new DOMException('stopped', 'AbortError'), null, 'stopped'],
    [new Error(''), null, 'Error'],
    ['only text', null, 'only text'],
    [undefined, null, 'undefined'],
  ];
  for (const [error, expectedStatus, line] of table) {
    t.equal(statusOf(error), expectedStatus, `status: ${line}`);
    t.equal(describeError(error), line);
    t.notMatch(describeError(error), /planted-secret/);
  }
  t.end();
});

test('statuses and reasons', (t) => {
  t.ok(isNotFound(new ApiError('x', 404, null)));
  t.ok(isForbidden(new ApiError('x', 403, null)));
  t.ok(isConflict(new ApiError('x', 409, null)));
  t.notOk(isConflict(refused('ECONNRESET')));
  t.ok(isAlreadyExists(new ApiError('x', 409, status('AlreadyExists', ''))));
  t.notOk(isAlreadyExists(new ApiError('x', 409, status('Conflict', ''))));
  t.ok(isAlreadyExists(new ApiError('POST /x', 409, status('AlreadyExists', ''))));
  t.end();
});

test('Retry-After in milliseconds', (t) => {
  t.equal(retryAfterOf(new ApiError('x', 429, null, 3000)), 3000);
  t.equal(retryAfterOf(new ApiError('x', 500, status('ServerTimeout', '', { details: { retryAfterSeconds: 2 } }))), 2000);
  t.equal(retryAfterOf(new Error('no')), null);
  t.end();
});

test('a line stays a line', (t) => {
  const long = describeError(new Error('x'.repeat(5000)));
  t.equal(long.length, 500);
  t.match(long, /x…$/);
  t.end();
});
