/**
 * Run by `helm test`: creates a pod for each image in dry run and compares the image that the API server answers with the one that it must become.
 * While the controller says that nodes do not reach the registry of that one, it is right that the image goes elsewhere.
 */
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Where every pod finds them: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
const account = process.env.SERVICE_ACCOUNT_FOLDER ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const [namespace, imagesFile, optIn] = process.argv.slice(2);
const folder = dirname(imagesFile);
const deadline = performance.now() + 30_000;

/** Opted in by its own label, since its namespace is not. It meets the Pod Security Standard `restricted`, and names no user: OpenShift chooses one. */
const podWith = (image) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'self-test-', labels: { 'transship.dev/rewrite': optIn } },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ name: 'image', image, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
  },
});

function dryRun(pod) {
  const options = {
    host,
    port,
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
    ca: readFileSync(`${account}/ca.crt`),
    headers: { authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8').trim()}`, 'content-type': 'application/json' },
  };
  return new Promise((resolve, reject) => {
    const call = request(options, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) });
    });
    call.once('error', reject);
    call.end(JSON.stringify(pod));
  });
}

/** The Role of this test is new: until the API server knows of it, the answer is 403. */
async function created(image) {
  for (;;) {
    const { status, body } = await dryRun(podWith(image));
    if (status === 201) {
      const isRecorded = body.metadata.annotations?.['transship.dev/original-images'] !== undefined;
      return { result: body.spec.containers[0].image, isRecorded };
    }
    if (status !== 403 || performance.now() > deadline) throw new Error(`the API server answered ${status}: ${body.message}`);
    await sleep(500);
  }
}

/** Right after an install the API server does not call the webhook yet, so an unchanged image is tried again for a while. */
async function becomes(image, expected) {
  for (;;) {
    const { result, isRecorded } = await created(image);
    if (result === expected || result !== image || isRecorded || performance.now() > deadline) return { result, isRecorded };
    await sleep(500);
  }
}

/** Names of registries in the text that the controller writes: the image has no parser of YAML. */
function unavailableRegistries() {
  const file = join(folder, 'hosts.yaml');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const blocks = [...text.matchAll(/^(\S+):\n((?: .*\n?)+)/gm)];
  return blocks.filter(([, , fields]) => /^ +unavailable: true$/m.test(fields)).map(([, name]) => name);
}

const hosts = JSON.parse(readFileSync(join(folder, 'registries.json'), 'utf8'));
/** The registry that would have been used; undefined when nodes reach it. */
const missed = (expected) => unavailableRegistries().find((name) => hosts[name] && expected.startsWith(`${hosts[name]}/`));

for (const { image, becomes: expected } of JSON.parse(readFileSync(imagesFile, 'utf8'))) {
  const { result, isRecorded } = await becomes(image, expected).catch((error) => ({ result: error.message, isRecorded: false }));
  const registry = isRecorded ? missed(expected) : undefined;
  if (result === expected) {
    console.log(`ok      ${image} -> ${result}`);
  } else if (registry !== undefined) {
    console.log(`ok      ${image} -> ${result}\n        instead of ${expected}: nodes do not reach registry ${registry}`);
  } else {
    console.log(`NOT OK  ${image} -> ${result}\n        expected ${expected}`);
    process.exitCode = 1;
  }
}
