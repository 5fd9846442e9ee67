/** Pairs are checked before anything uses them, and a refusal names the file and what to do. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { checkKeyPair, readClientCa, readKeyPair } from '../../src/tls/pair.ts';
import { authority, otherAuthority, servingPair } from './pairs.ts';

const good = await servingPair();
const other = await servingPair();
const expired = await servingPair(authority, -60_000);
const files = { certFile: 'tls.crt', keyFile: 'tls.key' };
const encrypted =
  '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg=\n-----END ENCRYPTED PRIVATE KEY-----\n';

test('what is accepted', (t) => {
  const accepted: readonly (readonly [name: string, cert: string, key: string])[] = [
    ['a leaf', good.cert, good.key],
    ['a leaf and its authority', good.cert + authority.cert, good.key],
    ['text around the PEM', `Subject: x\n${good.cert}`, `# key\n${good.key}`],
    ['Windows line ends', good.cert.replaceAll('\n', '\r\n'), good.key.replaceAll('\n', '\r\n')],
  ];
  for (const [name, cert, key] of accepted) {
    const { notAfter, ...pair } = checkKeyPair({ cert, key }, files);
    t.same(pair, { cert, key }, name);
    t.ok(notAfter.getTime() > Date.now(), name);
  }
  t.end();
});

test('what is refused', (t) => {
  const refused: readonly (readonly [name: string, cert: string, key: string, says: RegExp])[] = [
    ['nothing', '', '', /^tls\.crt does not hold a PEM certificate \(no start line\); write both files/],
    ['no key', good.cert, '', /^tls\.key does not hold a PEM private key without a passphrase \(/],
    ['a key with a passphrase', good.cert, encrypted, /^tls\.key does not hold a PEM private key without a passphrase \(/],
    ['another key', good.cert, other.key, /^tls\.key is not the key of tls\.crt; write both files of one pair$/],
    ['the authority first', authority.cert + good.cert, good.key, /^tls\.key is not the key of tls\.crt/],
    ['expired', expired.cert, expired.key, /^tls\.crt expired at \d{4}-\d\d-\d\dT.*Z; renew it$/],
    [
      'half a chain',
      good.cert + authority.cert.slice(0, 300),
      good.key,
      /^tls\.crt does not hold a certificate chain that TLS accepts \(bad end line\)/,
    ],
  ];
  for (const [name, cert, key, says] of refused) {
    t.throws(() => checkKeyPair({ cert, key }, files), { code: 'TLS_PAIR_INVALID', name: 'KeyPairError', message: says }, name);
  }
  t.end();
});

test('files', async (t) => {
  const folder = t.testdir({ 'tls.crt': good.cert, 'tls.key': good.key, 'ca.crt': authority.cert });
  const at = (name: string): string => join(folder, name);
  t.match(await readKeyPair({ certFile: at('tls.crt'), keyFile: at('tls.key') }), good);
  await t.rejects(readKeyPair({ certFile: at('gone.crt'), keyFile: at('tls.key') }), {
    code: 'TLS_PAIR_INVALID',
    message: /gone\.crt cannot be read/,
    cause: { code: 'ENOENT' },
  });
  t.equal(await readClientCa(at('ca.crt')), authority.cert);
  await t.rejects(readClientCa(at('gone.crt')), { code: 'TLS_PAIR_INVALID' });
});

test('client authorities: all of the file, or none', async (t) => {
  const path = join(t.testdir({}), 'ca.crt');
  const { cert } = authority;
  for (const text of [
    cert,
    cert + otherAuthority.cert,
    `# API server\n${cert}# and the other\n${otherAuthority.cert}`,
    `-----BEGIN PRIVATE KEY-----\n${cert}`,
  ]) {
    await writeFile(path, text);
    t.equal(await readClientCa(path), text);
  }
  for (const text of [
    '',
    'no certificate',
    cert.slice(0, 200),
    cert + otherAuthority.cert.slice(0, 200),
    otherAuthority.cert.slice(0, 200) + cert,
  ]) {
    await writeFile(path, text);
    await t.rejects(
      readClientCa(path),
      { code: 'TLS_PAIR_INVALID', problem: /ca\.crt does not hold a PEM certificate/ },
      text.slice(0, 20),
    );
  }
});
