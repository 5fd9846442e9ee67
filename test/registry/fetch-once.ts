/** A program that fetches credentials as the controller does and prints them: `fetch-once.ts POLICY HOST`, the policy as JSON. */
import { cloudProvider, type CloudCredentialsPolicy } from '../../src/registry/provider.ts';

const [policy = '', host] = process.argv.slice(2);
const entries = await cloudProvider(JSON.parse(policy) as CloudCredentialsPolicy, host).fetch(AbortSignal.timeout(30_000));
console.log(JSON.stringify(entries));
