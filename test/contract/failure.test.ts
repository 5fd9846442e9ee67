import { writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { stringify } from 'yaml';

import type { V1SelfSubjectRulesReview } from '@kubernetes/client-node';

import { release, secretService } from '../charts/chart.ts';
import { createDryRun, eventually, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createAuthority, type KeyPair } from '../cluster/pki.ts';
import { serviceHost, servicePort, type Serving } from '../cluster/serve.ts';
import { imagesOf, reviews, running, type Running } from './running.ts';

const rewritten = 'mirror.example.com/library/nginx:1.27';
const host = serviceHost({ service: secretService, namespace: release.namespace });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The flag with which the API server shows its webhooks who it is. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers */
function withClientCertificate(t: Test, { certificate, key }: KeyPair): string {
  const folder = t.testdir();
  const [configuration, kubeconfig] = [join(folder, 'admission.yaml'), join(folder, 'kubeconfig.yaml')];
  const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
  writeFileSync(
    kubeconfig,
    stringify({ apiVersion: 'v1', kind: 'Config', users: [host, `${host}:${servicePort}`].map((name) => ({ name, user })) }),
  );
  const webhookAdmission = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration', kubeConfigFile: kubeconfig };
  const plugins = [{ name: 'MutatingAdmissionWebhook', configuration: webhookAdmission }];
  writeFileSync(configuration, stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }));
  return `--admission-control-config-file=${configuration}`;
}

/** A POST whose body is announced and does not come: it holds one place until `give` is called. */
function holdPlace({ address, certificate }: Running): { give(): void; ended: Promise<void> } {
  const options = {
    host: address.host,
    port: address.port,
    servername: host,
    ca: certificate.authority,
    agent: false,
    method: 'POST',
    path: '/mutate',
    headers: { 'content-length': 1000 },
  };
  const held = request(options satisfies RequestOptions);
  const ended = new Promise<void>((resolve) => held.once('close', resolve));
  held.on('error', () => {});
  held.flushHeaders();
  return { give: () => void held.destroy(), ended };
}

/** Status and Retry-After of an empty POST from here. */
const post = ({ address, certificate }: Running): Promise<readonly [status: number | undefined, retryAfter: string | undefined]> =>
  new Promise((resolve, reject) => {
    const options = {
      host: address.host,
      port: address.port,
      servername: host,
      ca: certificate.authority,
      agent: false,
      method: 'POST',
      path: '/mutate',
    };
    const asked = request(options, (response) => {
      response.resume().once('end', () => resolve([response.statusCode, response.headers['retry-after']]));
    });
    asked.once('error', reject).end();
  });

test('when the webhook cannot answer', { skip: skipReason({ level: 1 }) }, async (group) => {
  const authority = await createAuthority('apiserver-clients');
  const flag = withClientCertificate(group, await authority.client('CN=kube-apiserver'));
  const installed = await running(group, { cluster: { apiServerArgs: [flag] } });
  const { plane, upgrade } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  const admitted = async () => {
    const { status, body } = await createDryRun(plane, 'shop', podWith('nginx:1.27'));
    return { status, image: status === 201 ? imagesOf(body)['main'] : undefined, message: body.message };
  };
  let serving: Serving = installed.serving;
  const restart = async (args: readonly string[] = []) => {
    await serving.kill();
    serving = await installed.start(args);
  };

  await group.test('its ServiceAccount may do nothing that a stranger with a token may not', async (t) => {
    const input = JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace: release.namespace },
    });
    const rightsOf = async (user: string): Promise<unknown> => {
      const as = [
        `--as=system:serviceaccount:${release.namespace}:${user}`,
        '--as-group=system:serviceaccounts',
        '--as-group=system:authenticated',
      ];
      const { stdout } = await plane.kubectl(['create', '--validate=false', '-o', 'json', '-f', '-', ...as], { input });
      return (JSON.parse(stdout) as V1SelfSubjectRulesReview).status?.resourceRules;
    };
    const { stdout } = await plane.kubectl([
      '-n',
      release.namespace,
      'get',
      'deployment',
      release.name,
      '-o',
      'jsonpath={.spec.template.spec.serviceAccountName}',
    ]);
    t.same(await rightsOf(stdout), await rightsOf('stranger'));
  });

  await group.test('killed: Ignore creates pods as they are written; back again: it goes on by itself', async (t) => {
    await serving.kill();
    t.match(await admitted(), { status: 201, image: 'nginx:1.27' });
    serving = await installed.start();
    t.match(await admitted(), { status: 201, image: rewritten });
  });

  await group.test('killed: Fail refuses pods and names the webhook; back again: it goes on by itself', async (t) => {
    await serving.kill();
    await upgrade({ failurePolicy: 'Fail', timeoutSeconds: 20 });
    await eventually('pods are refused', async () => (await admitted()).status !== 201);
    const { status, message } = await admitted();
    t.equal(status, 500);
    t.match(
      message,
      `failed calling webhook "enforce.transship.dev": failed to call webhook: Post "https://${host}:${servicePort}/mutate?timeout=20s"`,
    );
    serving = await installed.start();
    t.match(await admitted(), { status: 201, image: rewritten });
  });

  await group.test('overload: the API server retries after Retry-After, and the pod is rewritten', async (t) => {
    await restart(['--max-in-flight', '1']);
    const attempt = async (): Promise<boolean> => {
      const held = holdPlace(installed);
      await eventually('the one place is taken', async () => (await post(installed))[0] === 503);
      const before = await reviews(installed, { result: 'overloaded' });
      const waiting = admitted();
      await setTimeout(200);
      held.give();
      await held.ended;
      t.match(await waiting, { status: 201, image: rewritten });
      return (await reviews(installed, { result: 'overloaded' })) > before;
    };
    // After a second the place is given to whoever comes, so on a busy machine the API server may not be turned away the first time.
    await eventually('the API server is turned away', attempt);
  });

  await group.test('with --client-ca it answers the API server, by its certificate, and no other caller', async (t) => {
    const clientCa = join(plane.folder, 'client-ca.crt');
    writeFileSync(clientCa, authority.certificate);
    await restart(['--client-ca', clientCa]);
    t.match(await admitted(), { status: 201, image: rewritten });
    t.same(await post(installed), [403, undefined]);

    writeFileSync(clientCa, (await createAuthority('another')).certificate);
    await restart(['--client-ca', clientCa]);
    const { status, message } = await admitted();
    t.equal(status, 500);
    // The reason used to be lost: the API server passes on what an error says only when it is text, and made "unknown" of JSON.
    t.match(message, 'failed calling webhook "enforce.transship.dev": failed to call webhook: {"code":"CLIENT_CERTIFICATE_REQUIRED"');
  });
});
