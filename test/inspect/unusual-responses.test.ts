/** The commands that read a cluster, before servers that respond as no API server does: one line says what is wrong, and there is no stack. */
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { misbehavingServer } from '../cluster-client/misbehaving-server.ts';
import { policy, transship } from '../cli/terminal.ts';

const commands: readonly (readonly string[])[] = [
  ['scan', '-A'],
  ['scan', '-n', 'shop', '-o', 'json'],
  ['why', 'pod/web'],
  ['why', 'deployment/web', '-o', 'json'],
  ['doctor'],
  ['diff', '--policy', policy, '--policy', policy, '-A'],
  ['init', '--preset', 'harbor', '-A'],
];

type Respond = (response: ServerResponse) => void;
const send =
  (status: number, type: string, body: string): Respond =>
  (response) =>
    response.writeHead(status, { 'Content-Type': type }).end(body);
const json = (body: unknown, status = 200): Respond => send(status, 'application/json', JSON.stringify(body));
const failure = (code: number, reason: string): Respond => json({ kind: 'Status', code, reason, message: 'a\u001b[31m b' }, code);

const responses: readonly (readonly [name: string, Respond, RegExp])[] = [
  ['a login page', send(200, 'text/html', '<html>log in</html>'), /API_RESPONSE_INVALID: \S+ \S+: the response is not JSON; check/],
  ['nothing', send(200, 'application/json', ''), /API_RESPONSE_INVALID: .* is not JSON/],
  ['JSON that is cut off', send(200, 'application/json', '{"items":['), /API_RESPONSE_INVALID: .* is not JSON/],
  ['null', json(null), /API_RESPONSE_INVALID: .* is not a JSON object/],
  ['a list without an object', json([]), /API_RESPONSE_INVALID: .* is not a JSON object/],
  [
    'a body that breaks off',
    (response) => {
      response.writeHead(200, { 'Content-Length': '1000' }).write('{"items":[');
      setTimeout(() => response.destroy(), 20);
    },
    /CLUSTER_UNREACHABLE: the API server does not answer: /,
  ],
  ['no response', (response) => response.destroy(), /CLUSTER_UNREACHABLE: the API server does not answer: /],
  ['a redirection', send(302, 'text/html', ''), /KUBERNETES_API_ERROR: \S+ \S+: 302; check that the kubeconfig names an API server/],
  ['the page of a gateway', send(502, 'text/html', '<html>'), /KUBERNETES_API_ERROR: \S+ \S+: 502; check that the kubeconfig/],
  ['401', failure(401, 'Unauthorized'), /KUBERNETES_API_ERROR: .*401 Unauthorized.*; check the credentials/],
  ['410', failure(410, 'Expired'), /KUBERNETES_API_ERROR: .*410 Expired/],
  ['429', failure(429, 'TooManyRequests'), /KUBERNETES_API_ERROR: .*429 TooManyRequests.*; try again/],
  ['500', failure(500, 'InternalError'), /KUBERNETES_API_ERROR: .*500 InternalError; try again/],
  ['503', failure(503, 'ServiceUnavailable'), /KUBERNETES_API_ERROR: .*503 ServiceUnavailable.*; try again/],
];

for (const [name, respond, sentence] of responses)
  void t.test(`${name}: commands ended with a stack trace, or as if the cluster were empty`, async (tt) => {
    const server = await misbehavingServer(tt);
    server.answer = (_request, response) => respond(response);
    for (const command of commands) await tells(tt, [...command, '--kubeconfig', server.kubeconfig], sentence);
  });

void t.test('pods that may not be listed, or a server that knows none, were reported as a cluster without pods', async (tt) => {
  const server = await misbehavingServer(tt);
  const aboutPods = commands.filter(([word]) => word !== 'why' && word !== 'doctor');
  for (const [respond, sentence] of [
    [failure(403, 'Forbidden'), /KUBERNETES_API_ERROR: list \S+pods: 403 Forbidden.*; use credentials that may list pods/],
    [
      send(404, 'text/plain', '404 page not found'),
      /KUBERNETES_API_ERROR: list \S+pods: 404; check that the kubeconfig names an API server/,
    ],
  ] as const) {
    server.answer = (_request, response) => respond(response);
    for (const command of aboutPods) await tells(tt, [...command, '--kubeconfig', server.kubeconfig], sentence);
  }
});

void t.test('lists that are not lists of objects', async (tt) => {
  const server = await misbehavingServer(tt);
  for (const body of [{}, { items: [] }, ...[{ a: 1 }, [null], ['x'], 7].map((items) => ({ metadata: { resourceVersion: '1' }, items }))]) {
    server.answer = (_request, response) => json(body)(response);
    await tells(tt, ['scan', '-A', '--kubeconfig', server.kubeconfig], /API_RESPONSE_INVALID: list \S+: the response is not a list/);
  }
});

void t.test('what is wrong in a kubeconfig was said to be the API server that does not answer', async (tt) => {
  const server = await misbehavingServer(tt);
  const cluster = { server: server.url, 'certificate-authority': server.authorityFile };
  const folder = tt.testdir();
  const written = (changes: { cluster?: object; user?: object; userName?: string }): string => {
    const file = join(folder, 'kubeconfig');
    const context = { cluster: 'c', user: changes.userName ?? 'u' };
    const users = [{ name: 'u', user: changes.user ?? { token: 'planted' } }];
    const clusters = [{ name: 'c', cluster: changes.cluster ?? cluster }];
    writeFileSync(file, stringify({ 'current-context': 'c', contexts: [{ name: 'c', context }], clusters, users }));
    return file;
  };
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/nowhere/login', interactiveMode: 'Never' };
  const table: readonly (readonly [Parameters<typeof written>[0], RegExp])[] = [
    [{ userName: 'other' }, /CLUSTER_CONFIG_INVALID: the kubeconfig has no user other, which context c names; it has u/],
    [{ user: { exec } }, /CLUSTER_CONFIG_INVALID: the credentials of user u in the kubeconfig cannot be used: .*login/],
    [
      { user: { 'client-certificate': '/nowhere/c', 'client-key': '/nowhere/k' } },
      /CLUSTER_CONFIG_INVALID: the credentials of user u .*nowhere/,
    ],
    [
      { cluster: { server: server.url } },
      /CLUSTER_UNREACHABLE: the certificate of the API server is not signed by the CA of the kubeconfig/,
    ],
    [{ cluster: { ...cluster, server: 'https://127.0.0.1:1' } }, /CLUSTER_UNREACHABLE: the API server does not answer: .*ECONNREFUSED/],
  ];
  for (const [changes, sentence] of table) await tells(tt, ['scan', '-A', '--kubeconfig', written(changes)], sentence);
  for (const [file, reason] of [
    [join(folder, 'missing'), 'no such file'],
    [folder, 'it is a folder'],
    [import.meta.filename, 'it is not a kubeconfig'],
  ] as const)
    await tells(tt, ['doctor', '--kubeconfig', file], new RegExp(`CLUSTER_CONFIG_INVALID: \\S+ cannot be read: ${reason}; name one`));
});

/** One line on standard error, nothing on standard output, and exit code 2. */
async function tells(tt: Test, args: readonly string[], sentence: RegExp): Promise<void> {
  const { code, stdout, stderr } = await transship(args);
  const name = args.join(' ');
  tt.equal(code, 2, name);
  tt.equal(stdout, '', name);
  tt.match(stderr, sentence, name);
  tt.equal(stderr.split('\n').length, 2, `${name}: one line`);
  tt.notOk(stderr.includes('\u001b'));
}
