/** What a step writes, on a real API server whose objects are no longer those that the step was planned with. */
import { test } from 'tap';

import type { V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import { isConflict } from '../../../src/cluster/api-error.ts';
import { connect } from '../../../src/cluster/connection.ts';
import { applyObject } from '../../../src/cluster/object-writes.ts';
import { renderStep, type WritingStep } from '../../../src/controller/certificates/certificate-objects.ts';
import { createCa, issueServing } from '../../../src/tls/certificate.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { releaseNamespace, remove, succeed } from '../controllers.ts';
import { caPath, configurations, createConfiguration, day, started, tlsPath } from './cluster.ts';

const names = { namespace: releaseNamespace, tlsSecret: 'transship-tls', service: 'transship', webhookConfiguration: 'transship' };
const period = { notBefore: Date.now() - day, notAfter: Date.now() + day };

const steps: readonly WritingStep[] = [
  { do: 'create-ca', previous: [], period },
  { do: 'adopt', previous: [] },
  { do: 'retire', previous: [] },
  { do: 'issue', bundle: 'bundle', period },
  { do: 'store', bundle: 'bundle' },
  { do: 'publish', bundle: 'bundle' },
];

test(
  'a Secret that was deleted a moment ago was made anew, with its key, while a release was uninstalled',
  { skip: skipReason({ level: 1 }) },
  async (t) => {
    const plane = await started(t);
    const cluster = await connect({ kubeconfig: plane.kubeconfig });
    t.teardown(() => cluster.close());
    const authority = await createCa('test', period);
    const pair = await issueServing(authority, ['transship.example'], period);
    const secret = (path: string, stringData: Record<string, string>): Promise<V1Secret> =>
      succeed<V1Secret>(plane, 'POST', path.slice(0, path.lastIndexOf('/')), {
        metadata: { name: path.slice(path.lastIndexOf('/') + 1) },
        stringData,
      });
    const ca = await secret(caPath, { 'ca.crt': authority.cert, 'ca.key': authority.key });
    const serving = await secret(tlsPath, { 'tls.crt': pair.cert, 'tls.key': pair.key });
    await createConfiguration(plane, 'transship');
    const path = `${configurations}/transship`;
    const configuration = await succeed<V1MutatingWebhookConfiguration>(plane, 'GET', path);
    const paths = [caPath, tlsPath, path];
    for (const each of paths) await remove(plane, each);

    for (const step of steps) {
      const object = await renderStep(step, { ca, serving, configuration }, { ...names, caLifetime: day, certificateLifetime: day });
      const answer: unknown = await applyObject(cluster, object, new AbortController().signal).catch((error: unknown) => error);
      t.ok(isConflict(answer), `${step.do}: ${String(answer)}`);
    }
    for (const each of paths) t.equal((await plane.api.send('GET', each)).status, 404, each);
  },
);
