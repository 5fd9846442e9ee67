/** What TLS offers, seen with `openssl s_client`: another implementation than the one that serves. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { running } from '../server/running.ts';
import { authority } from '../tls/pairs.ts';

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  /** What openssl prints when it is let in; null for a refused handshake. */
  readonly says: RegExp | null;
}

/** Level 0 lets openssl offer what it would refuse itself, so that it is the server that refuses. */
const anything = '@SECLEVEL=0';
const accepted = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305'];

const table: readonly Row[] = [
  { name: 'TLS 1.3', args: ['-tls1_3'], says: /New, TLSv1\.3, Cipher is TLS_/ },
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].map((suite) => ({
    name: suite,
    args: ['-tls1_3', '-ciphersuites', suite],
    says: new RegExp(`Cipher is ${suite}`),
  })),
  { name: 'TLS 1.3 with a short tag', args: ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_8_SHA256'], says: null },
  ...accepted.map((cipher) => ({
    name: cipher,
    args: ['-tls1_2', '-cipher', cipher],
    says: new RegExp(`New, TLSv1\\.2, Cipher is ${cipher}`),
  })),
  {
    name: 'TLS 1.2 with anything else that openssl knows',
    args: ['-tls1_2', '-cipher', `ALL:COMPLEMENTOFALL:${accepted.map((cipher) => `!${cipher}`).join(':')}:${anything}`],
    says: null,
  },
  {
    name: 'CBC, which Node offers by itself',
    args: ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA'],
    says: null,
  },
  { name: 'TLS 1.1', args: ['-tls1_1', '-cipher', `ALL:${anything}`], says: null },
  { name: 'TLS 1.0', args: ['-tls1', '-cipher', `ALL:${anything}`], says: null },
  { name: 'ALPN of HTTP/1.1', args: ['-alpn', 'http/1.1'], says: /ALPN protocol: http\/1\.1/ },
  { name: 'ALPN of both', args: ['-alpn', 'h2,http/1.1'], says: /ALPN protocol: http\/1\.1/ },
  { name: 'ALPN of HTTP/2 alone', args: ['-alpn', 'h2'], says: null },
  { name: 'no ALPN', args: [], says: /No ALPN negotiated/ },
  { name: 'no compression', args: ['-tls1_2', '-comp'], says: /Compression: NONE/ },
  { name: 'only renegotiation as RFC 5746 makes it safe', args: ['-tls1_2'], says: /Secure Renegotiation IS supported/ },
];

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('openssl s_client', { skip: hasOpenssl() ? false : 'there is no openssl' }, async (t) => {
  const server = await running(t);
  const ca = join(t.testdir({}), 'ca.crt');
  writeFileSync(ca, authority.cert);
  for (const { name, args, says } of table) {
    const { code, text } = await handshake([
      '-connect',
      `127.0.0.1:${server.port}`,
      '-servername',
      'localhost',
      '-CAfile',
      ca,
      '-verify_return_error',
      ...args,
    ]);
    if (says === null) t.not(code, 0, `${name} is refused`);
    else t.equal(code, 0, name);
    // A word that openssl does not know, or a version that it has not, would be refused as well.
    if (says === null) t.match(text, /alert|no ciphers available|no protocols available/, `${name} by the server`);
    else t.match(text, says, name);
  }
});

/** With an empty stdin openssl ends after the handshake. */
async function handshake(args: readonly string[]): Promise<{ code: number; text: string }> {
  return await new Promise((resolve) => {
    const child = execFile('openssl', ['s_client', ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), text: stdout + stderr });
    });
    child.stdin?.end();
  });
}
