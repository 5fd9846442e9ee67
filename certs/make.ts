/** `npm run certs -- NAME…`: a CA and a serving certificate for development, into this folder. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { issueServing, createCa } from '../src/tls/certificate.ts';

const lifetime = 30 * 24 * 60 * 60_000;
const folder = fileURLToPath(new URL('.', import.meta.url));

const given = process.argv.slice(2);
const names = given.length === 0 ? ['localhost', '127.0.0.1', '::1'] : given;
const wrong = names.find((name) => name.startsWith('-') || /[\s/]/.test(name));
if (wrong !== undefined) {
  process.stderr.write(`${wrong} is not a host name or IP address\nusage: npm run certs -- NAME…\n`);
  process.exit(2);
}
const authority = await createCa('transship development CA', { lifetime });
const pair = await issueServing(authority, names, { lifetime });
await writeFile(`${folder}ca.crt`, authority.cert);
await writeFile(`${folder}tls.crt`, pair.cert);
await writeFile(`${folder}tls.key`, pair.key, { mode: 0o600 });
process.stdout.write(`certs/ca.crt, certs/tls.crt and certs/tls.key are for ${names.join(', ')}, for 30 days\n`);
