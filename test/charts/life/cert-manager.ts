/**
 * Plays cert-manager, which is not in the test cluster: its kinds as far as the chart uses them, a Secret for each Certificate, and the CA injector.
 * The injector writes `caBundle` as the real one does: by an update under its own field manager.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { KubernetesObject, V1MutatingWebhookConfiguration } from '@kubernetes/client-node';

import type { ControlPlane, TestScope } from '../../cluster/control-plane.ts';
import { createAuthority } from '../../cluster/pki.ts';

const group = 'cert-manager.io';
const configurationsPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

const definition = (kind: string, plural: string): object => ({
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
        },
      },
    ],
  },
});

interface Certificate extends KubernetesObject {
  readonly spec: { readonly secretName: string; readonly dnsNames?: [string, ...string[]] };
}

/** Until the test ends. */
export async function playCertManager(t: TestScope, plane: ControlPlane, namespace: string): Promise<void> {
  for (const [kind, plural] of [
    ['Certificate', 'certificates'],
    ['Issuer', 'issuers'],
  ] as const) {
    const { status, body } = await plane.api.send(
      'POST',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      definition(kind, plural),
    );
    if (status !== 201) throw new Error(`no ${kind}: ${JSON.stringify(body)}`);
  }
  const authority = await createAuthority('cert-manager-test');
  const caBundle = Buffer.from(authority.certificate).toString('base64');
  const ending = new AbortController();

  async function issue({ spec }: Certificate): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    if (spec.dnsNames === undefined || (await plane.api.send('GET', `${path}/${spec.secretName}`)).status === 200) return;
    const { certificate, key } = await authority.server(spec.dnsNames);
    const stringData = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority.certificate };
    await plane.api.send('POST', path, { metadata: { name: spec.secretName }, type: 'kubernetes.io/tls', stringData });
  }

  async function inject(configuration: V1MutatingWebhookConfiguration): Promise<void> {
    const { metadata, webhooks = [] } = configuration;
    if (metadata?.annotations?.[`${group}/inject-ca-from`] === undefined) return;
    if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
    for (const { clientConfig } of webhooks) clientConfig.caBundle = caBundle;
    await plane.api.send('PUT', `${configurationsPath}/${metadata.name}?fieldManager=cainjector`, configuration);
  }

  const work = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const { body: certificates } = await plane.api.send<{ items?: Certificate[] }>(
        'GET',
        `/apis/${group}/v1/namespaces/${namespace}/certificates`,
      );
      for (const certificate of certificates.items ?? []) await issue(certificate);
      const { body: configurations } = await plane.api.send<{ items: V1MutatingWebhookConfiguration[] }>('GET', configurationsPath);
      if ((certificates.items ?? []).length > 0) for (const configuration of configurations.items) await inject(configuration);
      await sleep(100);
    }
  };
  const worked = work().catch((error: unknown) => {
    if (!ending.signal.aborted) t.comment(`cert-manager: ${String(error)}`);
  });
  t.teardown(async () => {
    ending.abort();
    await worked;
  });
}
