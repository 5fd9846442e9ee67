/** Runs the product as a process of its own behind a Service of the test cluster, so the API server calls it exactly as in production. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ControlPlane } from './control-plane.ts';
import { createAuthority, type KeyPair } from './pki.ts';
import { waitUntil } from './process.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** As in production where this user may listen there, else a port that everybody may; give it to the Service. */
export const servicePort = process.getuid?.() === 0 ? 443 : 8443;

export interface ServiceName {
  readonly service: string;
  readonly namespace: string;
}

/** The name that the API server asks for (SNI) and checks. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference */
export const serviceHost = ({ service, namespace }: ServiceName): string => `${service}.${namespace}.svc`;

export interface ServingCertificate extends KeyPair {
  /** PEM of who signed it: the `caBundle` of the webhook configuration, before base64. */
  readonly authority: string;
}

export async function servingCertificate(name: ServiceName): Promise<ServingCertificate> {
  const authority = await createAuthority('transship-test-webhook');
  return { authority: authority.certificate, ...(await authority.server([serviceHost(name)])) };
}

export interface ServeOptions extends ServiceName {
  /** The Service's ClusterIP; read it after the install, or fix it in the manifest. */
  readonly clusterIP: string;
  /** The Service's port; `servicePort` unless told. */
  readonly port?: number;
  /** Text of the policy file. */
  readonly policy: string;
  readonly certificate: ServingCertificate;
  /** More flags of `transship serve`. */
  readonly args?: readonly string[];
  /** Words in front of the command, which run it in another way. */
  readonly prefix?: readonly [string, ...string[]];
}

export interface Serving {
  /** Write to it to see a hot reload. */
  readonly policyFile: string;
  /** Folder with tls.crt and tls.key, as in a mounted Secret. */
  readonly certificateFolder: string;
  log(): string;
  /** SIGTERM, then waits for the drain. Resolves to the exit code. */
  stop(): Promise<number>;
  /** SIGKILL: what the API server sees when a node dies. */
  kill(): Promise<number>;
}

/** Resolves when `/readyz` answers 200. Throws with the end of its log when it ends before. Ends with the cluster. */
export async function serve(plane: ControlPlane, options: ServeOptions): Promise<Serving> {
  const { clusterIP, port = servicePort, policy, certificate, args = [], prefix } = options;
  const folder = mkdtempSync(join(plane.folder, 'serve-'));
  const certificateFolder = join(folder, 'tls');
  const policyFile = join(folder, 'policy.yaml');
  const [tlsCert, tlsKey] = [join(certificateFolder, 'tls.crt'), join(certificateFolder, 'tls.key')];
  mkdirSync(certificateFolder);
  writeFileSync(policyFile, policy);
  writeFileSync(tlsCert, certificate.certificate);
  writeFileSync(tlsKey, certificate.key, { mode: 0o600 });

  const address = ['--host', clusterIP, '--port', String(port), '--metrics-port', '0'];
  const [command, ...words]: readonly [string, ...string[]] = prefix === undefined ? [process.execPath] : [...prefix, process.execPath];
  const child = plane.start({
    name: `transship-serve-${clusterIP}-${port}`,
    command,
    args: [...words, program, 'serve', '--policy', policyFile, '--tls-cert', tlsCert, '--tls-key', tlsKey, ...address, ...args],
  });
  const host = serviceHost(options);
  await waitUntil(child, '/readyz', async () => (await readyStatus({ clusterIP, port, host, authority: certificate.authority })) === 200);
  return { policyFile, certificateFolder, log: () => child.log(), stop: () => child.stop({ gently: true }), kill: () => child.stop() };
}

function readyStatus(target: { clusterIP: string; port: number; host: string; authority: string }): Promise<number | undefined> {
  const { clusterIP, port, host, authority } = target;
  return new Promise((resolve, reject) => {
    const options = {
      host: clusterIP,
      port,
      path: '/readyz',
      servername: host,
      headers: { host },
      ca: authority,
      agent: false,
      timeout: 5_000,
    };
    const asked = get(options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
  });
}
