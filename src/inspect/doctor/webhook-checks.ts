/** Whether the API server can reach the webhook, and asks it what the chart says. */
import { X509Certificate } from 'node:crypto';
import { caCertificatesIn } from '../../tls/trust.ts';
import { failedEvaluations } from './admission-policy-checks.ts';
import { hasAdmissionPolicy, hasWebhook, releaseCheck, type Check, type Problem } from './check.ts';
import type { ReleaseFacts } from './facts.ts';
import { matchImages, reachable, revision } from './reach-checks.ts';
import { replicaChecks } from './replica-checks.ts';
import { isWhole } from './whole-rules.ts';

const wantedWebhooks = ['enforce.transship.dev', 'shadow.transship.dev', 'pod-enforce.transship.dev', 'pod-shadow.transship.dev'];
const upgrade = ({ name, namespace }: ReleaseFacts): string =>
  `helm upgrade ${name} CHART --namespace ${namespace} --reset-then-reuse-values; with Helm 4 and --force-conflicts`;

const registered: Check = {
  id: 'registered',
  title: 'transship is registered with the API server',
  isOfCluster: true,
  judge: ({ releases, workloads, version }) => {
    if (releases === null) return null;
    if (releases.length > 0) return [];
    const controller = workloads?.find(({ kind, metadata }) => kind === 'deployment' && isController(metadata?.labels));
    const name = controller?.metadata?.name;
    const running = name === undefined ? '' : `, though Deployment ${name} is there`;
    const older = `with engine: admissionPolicy, Kubernetes ${version ?? '1.36'} must serve MutatingAdmissionPolicy v1`;
    return [
      {
        sentence: `the cluster has no MutatingWebhookConfiguration of transship, and no MutatingAdmissionPolicyBinding of its chart${running}`,
        remedy: `helm install it; after an outage, helm upgrade brings the configuration back${name === undefined ? '' : `; ${older}`}`,
      },
    ];
  },
};

function isController(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.['app.kubernetes.io/part-of'] === 'transship' && labels['app.kubernetes.io/component'] === 'controller';
}

const webhooks = releaseCheck(
  'webhooks',
  'its webhooks ask for every pod create and image update',
  (release) => {
    if (release.configuration === null)
      return [
        {
          sentence: `release ${release.name} has a Deployment of the webhook and no MutatingWebhookConfiguration: the API server does not ask it`,
          remedy: upgrade(release),
        },
      ];
    const { metadata, webhooks: present = [] } = release.configuration;
    const names = new Set(present.map(({ name }) => name));
    const missing = wantedWebhooks.filter((name) => !names.has(name)).map((name) => `has no webhook ${name}`);
    const edited = present
      .filter(({ rules }) => !isWhole(rules))
      .map(({ name }) => `does not ask for pods on CREATE and UPDATE in webhook ${name}`);
    return [...missing, ...edited].map((what) => ({
      sentence: `MutatingWebhookConfiguration ${metadata?.name} ${what}: it was edited`,
      remedy: upgrade(release),
    }));
  },
  hasWebhook,
);

const caBundle = releaseCheck(
  'ca-bundle',
  'the API server has the CA of the webhook, and it is in date',
  (release, { now }) => {
    const waits = `the controller writes it when it has a certificate: kubectl --namespace ${release.namespace} logs deployment/${release.fullName}-controller`;
    const bundles = new Map((release.configuration?.webhooks ?? []).map(({ name, clientConfig }) => [name, clientConfig.caBundle ?? '']));
    const empty = [...bundles].filter(([, bundle]) => bundle === '').map(([name]) => name);
    if (empty.length > 0) return [{ sentence: `caBundle of ${empty.join(', ')} is empty: every call fails`, remedy: waits }];
    const unfit = [...new Set(bundles.values())].filter(
      (bundle) => !caCertificatesIn(pemOf(bundle)).some(({ notBefore, notAfter }) => isWithin(now, notBefore, notAfter)),
    );
    return unfit.length === 0
      ? []
      : [{ sentence: 'caBundle has no CA certificate that is valid now', remedy: `check the clock of this machine; ${waits}` }];
  },
  hasWebhook,
);

const certificate = releaseCheck(
  'certificate',
  'the certificate is in date, and signed by that CA',
  (release, { now }) => {
    if (release.certificate === null) return null;
    const secret = release.certificate?.metadata?.name ?? 'of the certificate';
    if (release.certificate === undefined)
      return [
        {
          sentence: 'the Secret of the certificate does not exist: the webhook cannot start',
          remedy: `kubectl --namespace ${release.namespace} logs deployment/${release.fullName}-controller`,
        },
      ];
    const served = certificateIn(pemOf(release.certificate.data?.['tls.crt'] ?? ''));
    if (served === null)
      return [
        {
          sentence: `Secret ${secret} holds no certificate`,
          remedy: `delete it, and the controller makes another: kubectl --namespace ${release.namespace} delete secret ${secret}`,
        },
      ];
    if (!isWithin(now, new Date(served.validFrom).getTime(), new Date(served.validTo).getTime()))
      return [
        {
          sentence: `the certificate is valid from ${served.validFrom} to ${served.validTo}, and not now`,
          remedy: 'check the clock of this machine and of the controller; the controller renews it when its clock is right',
        },
      ];
    const bundle =
      (release.configuration?.webhooks ?? []).map(({ clientConfig }) => clientConfig.caBundle ?? '').find((text) => text !== '') ?? '';
    const isTrusted = bundle === '' || caCertificatesIn(pemOf(bundle)).some(({ pem }) => served.checkIssued(new X509Certificate(pem)));
    return isTrusted
      ? []
      : [
          {
            sentence: 'the certificate is not signed by a CA of the caBundle: every call fails',
            remedy: `helm upgrade, or restart the controller: kubectl --namespace ${release.namespace} rollout restart deployment/${release.fullName}-controller`,
          },
        ];
  },
  hasWebhook,
);

function pemOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function certificateIn(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function isWithin(now: Date, from: number, to: number): boolean {
  return from <= now.getTime() && now.getTime() <= to;
}

/** https://kubernetes.io/docs/reference/instrumentation/metrics/ */
const failOpenMetric = 'apiserver_admission_webhook_fail_open_count';

const failOpen: Check = {
  id: 'fail-open',
  title: 'the API server has let no pod through without asking',
  // A counter that only a restart of the API server sets back.
  isPast: true,
  judge: ({ metrics, releases }): readonly Problem[] | null => {
    if (metrics === null || releases === null) return null;
    const ofPolicies = releases.filter(hasAdmissionPolicy).flatMap((release) => failedEvaluations(metrics, release));
    const counts = [...metrics.matchAll(new RegExp(`^${failOpenMetric}\\{([^}]*)\\} (\\S+)$`, 'gm'))];
    const ofWebhooks = counts.flatMap(([, labels = '', value]) => {
      const name = /name="([^"]*transship\.dev)"/.exec(labels)?.[1];
      if (name === undefined || Number(value) === 0) return [];
      const sentence = `${Number(value)} calls of ${name} failed since this API server started, and their pods were created as written (${failOpenMetric})`;
      return [{ sentence, remedy: 'transship why pod/NAME for pods of that time; failurePolicy Fail refuses them instead' }];
    });
    return [...ofWebhooks, ...ofPolicies];
  },
};

const causes: readonly Check[] = [webhooks, caBundle, certificate, ...replicaChecks];

export const webhookChecks: readonly Check[] = [registered, ...causes, reachable(causes), revision, matchImages, failOpen];
