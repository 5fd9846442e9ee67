/** A program that fetches credentials as the controller does and prints them: `fetch-once.ts POLICY HOST`, the policy as JSON. */
import type { CloudCredentialsPolicy } from '../../src/registry/cloud.ts';
import { createCloudProvider } from '../../src/registry/clouds.ts';

const [policy = '', host] = process.argv.slice(2);
const entries = await createCloudProvider(JSON.parse(policy) as CloudCredentialsPolicy, host).fetch(AbortSignal.timeout(120_000));
console.log(JSON.stringify(entries));
