/** Sends a real AdmissionReview through the server's own HTTPS port, and shows its pod before and after. */
import fjp, { type Operation } from 'fast-json-patch';
import { request } from 'node:https';
import { relative } from 'node:path';
import { podFields, readPod } from '../pod/pod.ts';
import type { Io } from './command.ts';
import { joined, jsonText, printed, type Printable } from '../text/printable.ts';
import { programFile, programFilePath } from './program-files.ts';
import { table } from './table.ts';

const sampleReview = 'examples/admission-review.json';

export interface Sample {
  readonly port: number;
  readonly host: string;
  /** PEM of the CA that signed the server's certificate. */
  readonly ca: string;
  readonly policy: string;
}

export async function showSample(sample: Sample, io: Io): Promise<void> {
  const body = programFile(sampleReview);
  const pod: unknown = JSON.parse(body).request.object;
  const operations = await ask(sample, body);
  const after: unknown = fjp.applyPatch(structuredClone(pod), operations, true).newDocument;
  io.stdout.write(page(sample, { pod, after, operations }));
}

interface Shown {
  readonly pod: unknown;
  readonly after: unknown;
  readonly operations: readonly Operation[];
}

function page({ port, policy }: Sample, { pod, after, operations }: Shown): Printable {
  const before = readPod(pod, podFields([])).images;
  const images = readPod(after, podFields([])).images.flatMap((site, index) => {
    const written = before[index]?.image ?? '';
    return written === site.image
      ? [[site.name, `   ${shortened(written)}  (left as it is)`]]
      : [
          [site.name, `   ${shortened(written)}`],
          ['', `-> ${shortened(site.image)}`],
        ];
  });
  const review = relative(process.cwd(), programFilePath(sampleReview));
  const policyFile = relative(process.cwd(), policy);
  return joined([
    printed`transship listens on https://localhost:${port} with ${policyFile} and a self-signed certificate.

A Deployment makes a pod in namespace shop. The API server asks, and transship answers:

`,
    table([['CONTAINER', '   IMAGE'], ...images], '  '),
    printed`

  imagePullSecrets: ${names(pod)} -> ${names(after)}

The JSON Patch:

`,
    joined(
      operations.map((operation) => printed`  ${shortened(jsonText(operation))}`),
      '\n',
    ),
    printed`

Try it yourself, from another terminal (Ctrl-C here ends the server):

  curl -sk https://localhost:${port}/mutate -H 'content-type: application/json' --data @${review}
  npx transship explain --policy ${policyFile} nginx quay.io/acme/app:2 localhost:30500/library/nginx

`,
  ]);
}

/** 64 characters mean nothing to a person, and make the lines wrap. */
function shortened(text: string): string {
  return text.replace(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, '$1…');
}

function names(pod: unknown): string {
  const present = [...(readPod(pod, podFields([])).pullSecrets.names ?? [])];
  return present.length === 0 ? '(none)' : present.join(', ');
}

/** Fetches the patch like the API server does: over HTTPS, trusting only the CA. */
async function ask({ port, host, ca }: Sample, body: string): Promise<Operation[]> {
  const address = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const text = await new Promise<string>((resolve, reject) => {
    const call = request(
      {
        host: address,
        port,
        path: '/mutate?timeout=5s',
        method: 'POST',
        ca,
        agent: false,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
  return JSON.parse(Buffer.from(JSON.parse(text).response.patch, 'base64').toString('utf8'));
}
