/** A system to be scraped: a webhook and a controller of transship and an API server, and the Prometheus that scrapes them. */
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serving, type Serving } from '../cli/child.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createConfiguration } from '../controller/certificates/cluster.ts';
import {
  createNamespace,
  createSecret,
  dockerConfig,
  eventually,
  mirrorPolicy,
  releaseNamespace,
  runController,
  type Running,
} from '../controller/controllers.ts';
import { setEnvironment, startLoopback } from '../registry/loopback.ts';
import { samplePolicy } from '../server/running.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

interface Scope {
  readonly teardown: (ended: () => unknown) => void;
}

export interface System {
  readonly controller: Running;
  readonly webhook: Serving;
  /** Of the webhook. */
  readonly policyFile: string;
  readonly prometheus: Prometheus;
  /** Host of a registry that has no image. */
  readonly asked: string;
}

/**
 * A registry with a host that is not resolved, one with a token of a cloud, and one that is asked for its images, beside the usual one.
 *
 * @param asked host of the last one
 */
const policyWith = (asked: string): string => `${mirrorPolicy}  local:
    hostFrom: { service: { namespace: registry, name: registry, port: 5000, via: localhost } }
  cloud:
    host: 111122223333.dkr.ecr.eu-west-1.amazonaws.com
    pullSecrets: [cloud-pull]
    credentials: { provider: ecr, region: eu-west-1 }
  backup: { host: backup.example.com }
  asked: { host: '${asked}', verify: true }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }]
`;
export const optedIn = { 'transship.dev/rewrite': 'enabled' };

/** Tokens that end in ten minutes. There is no cloud here: this answers as the API of ECR does. */
async function pretendEcr(t: Scope): Promise<void> {
  const { origin } = await startLoopback(t, () => ({
    body: JSON.stringify({
      authorizationData: [
        {
          authorizationToken: Buffer.from('AWS:token').toString('base64'),
          expiresAt: Math.floor(Date.now() / 1000) + 600,
          proxyEndpoint: 'https://111122223333.dkr.ecr.eu-west-1.amazonaws.com',
        },
      ],
    }),
    headers: { 'content-type': 'application/x-amz-json-1.1' },
  }));
  setEnvironment(t, {
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_ECR: origin,
  });
}

/** Resolves when the controller is ready and Prometheus scrapes. All of it ends with the test. */
export async function startSystem(t: Scope, plane: ControlPlane, scrapeInterval?: string): Promise<System> {
  await pretendEcr(t);
  await createNamespace(plane, releaseNamespace, optedIn);
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: dockerConfig('one') });
  await plane.createNamespace('shop', optedIn);
  await createConfiguration(plane, 'transship');
  const { host: asked } = await startLoopback(t, () => ({ status: 404, body: '' }));
  const features = ['secrets', 'hosts', 'certificates', 'fallback', 'verify'];
  const args = ['--features', [...features, 'policies'].join(',')];
  const controller = await runController(plane, { policy: policyWith(asked), args });
  await eventually('all is ready but the admission policy, which has no binding', async () => {
    const { text } = await controller.get('/readyz');
    return features.every((feature) => text.includes(`${feature}: ready`)) && text.includes('policies: not ready');
  });
  const policyFile = join(plane.folder, 'webhook-policy.yaml');
  copyFileSync(samplePolicy, policyFile);
  const webhook = await serving(t, { args: ['--policy', policyFile] });
  const targets = { webhook: webhook.metricsPort, controller: controller.port, apiserver: await metricsOf(t, plane) };
  return { controller, webhook, policyFile, asked, prometheus: await startPrometheus(t, targets, scrapeInterval) };
}

/** The metrics of the API server without its authentication. @returns its port */
async function metricsOf(t: Scope, plane: ControlPlane): Promise<number> {
  const server = createServer((_request, response) => {
    void plane.api.send<string>('GET', '/metrics').then(({ body }) => {
      const text = body.split('\n').filter((line) => /apiserver_(?:admission_webhook|mutating_admission_policy)_/.test(line));
      response.end(`${text.join('\n')}\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  return (server.address() as AddressInfo).port;
}
