/** A webhook that allows everything and remembers what it was asked: it shows whom the API server calls, whatever transship would answer. */
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';

import type { ControlPlaneOptions, TestScope } from '../cluster/control-plane.ts';
import type { ServingCertificate } from '../cluster/serve.ts';
import { createDryRun, install, podWith, type Installation } from './installed.ts';

export interface Call {
  /** `/mutate` or `/shadow`, without the query. */
  readonly path: string;
  readonly operation: string;
  readonly subResource: string;
}

interface Recorder {
  /** What came in since the last time it was asked. */
  readonly taken: () => Call[];
}

interface Review {
  readonly request: { readonly uid: string; readonly operation: string; readonly subResource?: string };
}

async function startRecorder(t: TestScope, address: { host: string; port: number }, certificate: ServingCertificate): Promise<Recorder> {
  let calls: Call[] = [];
  const server = createServer({ cert: certificate.certificate, key: certificate.key, keepAliveTimeout: 120_000 }, (request, response) => {
    void (async () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the API server calls
      const { uid, operation, subResource = '' } = ((await json(request)) as Review).request;
      calls.push({ path: request.url?.split('?')[0] ?? '', operation, subResource });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } }));
    })();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  t.teardown(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const taken = (): Call[] => {
    const before = calls;
    calls = [];
    return before;
  };
  return { taken };
}

export type Recorded = Installation & { readonly recorder: Recorder };

export async function recorded(t: TestScope, cluster: ControlPlaneOptions = {}): Promise<Recorded> {
  const installation = await install(t, {}, cluster);
  return { ...installation, recorder: await startRecorder(t, installation.address, installation.certificate) };
}

/** Whether a pod of the namespace is sent to the webhook. */
export const isCalled =
  ({ plane, recorder }: Recorded, namespace: string) =>
  async () => {
    recorder.taken();
    await createDryRun(plane, namespace, podWith('nginx'));
    return recorder.taken().length > 0;
  };
