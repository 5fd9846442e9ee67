/** What an API server is and serves. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
import { isNotFound } from './api-error.ts';
import { readJson } from './api-response.ts';
import type { Cluster } from './connection.ts';

/** Milliseconds. */
const readTimeout = 15_000;

/**
 * @param groupVersion `admissionregistration.k8s.io/v1`
 * @param resource its plural
 * @throws ApiError
 */
export async function isServed(cluster: Cluster, groupVersion: string, resource: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { resources } = await read<{ resources?: readonly { name?: string }[] }>(cluster, `/apis/${groupVersion}`, signal);
    return resources?.some(({ name }) => name === resource) === true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/**
 * `v1.36.3`, or `v1.36.3 (emulating 1.35)`.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-architecture/4330-compatibility-versions
 *
 * @throws ApiError
 */
export async function serverVersion(cluster: Cluster, signal: AbortSignal): Promise<string> {
  const { gitVersion = 'of an unknown version', minor, emulationMajor, emulationMinor } = await read<Version>(cluster, '/version', signal);
  return emulationMinor === undefined || emulationMinor === minor
    ? gitVersion
    : `${gitVersion} (emulating ${emulationMajor}.${emulationMinor})`;
}

interface Version {
  readonly gitVersion?: string;
  readonly minor?: string;
  readonly emulationMajor?: string;
  readonly emulationMinor?: string;
}

async function read<Body>(cluster: Cluster, path: string, signal: AbortSignal): Promise<Body> {
  const response = await cluster.request(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(readTimeout)]) });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every field that is read is optional
  return (await readJson(`GET ${path}`, response)) as Body;
}
