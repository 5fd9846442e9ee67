/** A release of the chart as its owner handles it: by a real helm, with values that stay beside those of each step. */
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { command } from '../../cluster/commands.ts';
import { servicePort, servingCertificate } from '../../cluster/serve.ts';
import { chartFolder, release, secretService, type Values } from '../chart.ts';

export type HelmProgram = 'helm' | 'helm3';
export type TlsMode = 'controller' | 'certManager' | 'secret';

export const mirrored = 'mirror.example.com/library/nginx:1.27';
export const policy = {
  registries: { mirror: { host: 'mirror.example.com' } },
  rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'mirror', as: 'path' } }],
};

const certificateSecret = 'own-certificate';

export interface Release {
  /** Helm's own words, with the release and its namespace: `helm('status')`. */
  readonly helm: (...words: string[]) => Promise<string>;
  /** `install` or `upgrade`, and waits for the pods. */
  readonly apply: (verb: 'install' | 'upgrade', values: Values, ...words: string[]) => Promise<string>;
  /** Values that put the release into that mode, from the mode before when it is named. */
  readonly tls: (mode: TlsMode, previousMode?: TlsMode) => Values;
  /** The chart of the next `apply`: a folder, a packed file, or `oci://…`. This checkout's, unless told. */
  readonly use: (chart: string) => void;
  /** Makes the Secret of `tls.mode: secret` in the release namespace. */
  readonly createCertificate: () => Promise<void>;
}

/** Short enough that a test can see what they delay, and long enough for this machine. */
const times = { bundleDelay: '4s', reloadDelay: '8s' };

export async function prepareRelease(plane: ControlPlane, program: HelmProgram): Promise<Release> {
  const run = command(program, plane.environment);
  const certificate = await servingCertificate({ service: secretService, namespace: release.namespace });
  const where = ['--namespace', release.namespace];
  let chart = chartFolder;
  return {
    use: (other) => {
      chart = other;
    },
    helm: async (...words) => (await run([...words.slice(0, 1), release.name, ...where, ...words.slice(1)])).stdout,
    apply: async (verb, values, ...words) => {
      const all = { service: { port: servicePort }, rewritePolicy: { inline: policy }, tls: { controller: times }, ...values };
      const args = [verb, release.name, chart, ...where, '--values', '-', '--wait', '--timeout', '90s', ...words];
      return (await run(args, { input: JSON.stringify(all) })).stdout;
    },
    tls: (mode, previousMode) => ({
      tls: {
        mode,
        ...(previousMode && { previousMode }),
        controller: times,
        ...([mode, previousMode].includes('secret') && { secret: { name: certificateSecret, caBundle: certificate.authority } }),
      },
    }),
    createCertificate: async () => {
      const secret = {
        metadata: { name: certificateSecret },
        type: 'kubernetes.io/tls',
        stringData: { 'tls.crt': certificate.certificate, 'tls.key': certificate.key },
      };
      const { status, body } = await plane.api.send('POST', `/api/v1/namespaces/${release.namespace}/secrets`, secret);
      if (status !== 201) throw new Error(`no Secret ${certificateSecret}: ${JSON.stringify(body)}`);
    },
  };
}
