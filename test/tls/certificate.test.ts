/** The certificates we make, read by Node and by OpenSSL's strictest checks. */
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import { issueServing, createCa } from '../../src/tls/certificate.ts';
import { authority, otherAuthority, servingNames, servingPair } from './pairs.ts';

const hour = 60 * 60_000;
const pair = await servingPair();
const leaf = new X509Certificate(pair.cert);
const root = new X509Certificate(authority.cert);

test('a chain', (t) => {
  t.ok(leaf.checkIssued(root));
  t.ok(leaf.verify(root.publicKey));
  t.notOk(leaf.verify(new X509Certificate(otherAuthority.cert).publicKey), 'not by another authority');
  t.ok(root.checkIssued(root));
  t.ok(root.ca);
  t.notOk(leaf.ca);
  t.ok(leaf.checkPrivateKey(createPrivateKey(pair.key)));
  t.ok(root.checkPrivateKey(createPrivateKey(authority.key)));
  t.match(root.subject, 'CN=transship tests');
  t.equal(leaf.issuer, root.subject);
  t.end();
});

const names: readonly (readonly [name: string, isCovered: boolean])[] = [
  ...servingNames.map((name) => [name, true] as const),
  ['transship.other.svc', false],
  ['svc', false],
  ['127.0.0.2', false],
  ['::2', false],
];

test('names and addresses', (t) => {
  for (const [name, isCovered] of names) {
    const found = /^[\d.:]+$/.test(name) ? leaf.checkIP(name) : leaf.checkHost(name, { subject: 'never' });
    t.equal(found !== undefined, isCovered, name);
  }
  t.end();
});

test('a name longer than a common name may be is still in the certificate', async (t) => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.svc`;
  const issued = new X509Certificate((await issueServing(authority, [long], { lifetime: hour })).cert);
  t.equal(issued.checkHost(long), long);
  t.equal(issued.subject, `CN=${long.slice(0, 64)}`);
});

test('valid from a little before now, since clocks differ, until the lifetime is over', (t) => {
  for (const certificate of [leaf, root]) {
    t.ok(certificate.validFromDate.getTime() < Date.now());
    t.ok(certificate.validFromDate.getTime() > Date.now() - hour);
    t.ok(Math.abs(certificate.validToDate.getTime() - Date.now() - hour) < hour / 2);
  }
  t.end();
});

const periods: readonly (readonly [notBefore: string, notAfter: string])[] = [
  ['1970-01-01T00:00:00.000Z', '2049-12-31T23:59:59.000Z'],
  ['2025-08-21T00:00:00.000Z', '2050-01-01T00:00:00.000Z'],
  // Beyond 2049 dates are written in another way. RFC 5280, section 4.1.2.5.
  ['2060-01-01T00:00:00.000Z', '2070-01-01T00:00:00.000Z'],
];

test('valid from when to when it is told, whatever the clock says', async (t) => {
  for (const [notBefore, notAfter] of periods) {
    const period = { notBefore: Date.parse(notBefore), notAfter: Date.parse(notAfter) };
    const issuer = await createCa('transship tests', period);
    for (const { cert } of [issuer, await issueServing(issuer, servingNames, period)]) {
      const { validFromDate, validToDate } = new X509Certificate(cert);
      t.same([validFromDate.toISOString(), validToDate.toISOString()], [notBefore, notAfter]);
    }
  }
});

test('serial numbers are positive, long and different', async (t) => {
  const serials = await Promise.all(
    Array.from({ length: 20 }, async () => new X509Certificate((await createCa('x', { lifetime: hour })).cert).serialNumber),
  );
  t.equal(new Set(serials).size, 20);
  for (const serial of serials) t.match(serial, /^[4-7][0-9A-F]{31}$/);
});

const openssl = promisify(execFile);
const hasOpenssl = await openssl('openssl', ['version']).then(
  () => true,
  () => false,
);

test('OpenSSL, strictly', { skip: hasOpenssl ? false : 'there is no openssl' }, async (t) => {
  const folder = t.testdir({ 'ca.pem': authority.cert, 'other.pem': otherAuthority.cert, 'leaf.pem': pair.cert });
  const verify = async (ca: string, ...more: string[]): Promise<string> =>
    (
      await openssl('openssl', [
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-CAfile',
        join(folder, ca),
        ...more,
        join(folder, 'leaf.pem'),
      ])
    ).stdout;
  t.match(await verify('ca.pem', '-verify_hostname', 'transship.transship.svc'), /leaf\.pem: OK/);
  t.match(await verify('ca.pem', '-verify_ip', '127.0.0.1'), /leaf\.pem: OK/);
  await t.rejects(verify('other.pem'), { code: 2, stderr: /unable to get local issuer certificate/ });
  await t.rejects(verify('ca.pem', '-verify_hostname', 'example.com'), { code: 2, stderr: /hostname mismatch/i });
  const { stdout } = await openssl('openssl', ['x509', '-in', join(folder, 'leaf.pem'), '-noout', '-text']);
  for (const says of [
    /NIST CURVE: P-256/,
    /X509v3 Key Usage: critical\s+Digital Signature\n/,
    /Extended Key Usage:\s*(?:critical)?\s+TLS Web Server Authentication\n/,
    /CA:FALSE/,
  ])
    t.match(stdout, says);
});
