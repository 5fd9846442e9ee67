import { X509Certificate } from 'node:crypto';
import { test } from 'tap';

import { issueServing, createCa } from '../../src/tls/certificate.ts';
import { caCertificatesIn, caCertificateOf, servingOf } from '../../src/tls/trust.ts';

const hour = { lifetime: 3_600_000 };
const names = ['transship.images.svc', 'transship'];
const [one, two] = await Promise.all([createCa('same name', hour), createCa('same name', hour)]);
const leaf = await issueServing(one, names, hour);
const known = caCertificatesIn(one.cert + two.cert);

test('the CAs of a text', async (t) => {
  t.equal(known.length, 2);
  t.same(
    caCertificatesIn(`\n${two.cert}garbage\n${one.cert.trim()}\n${two.cert}`).map(({ id }) => id),
    [known[1]?.id, known[0]?.id],
    'in order, each once',
  );
  t.same(caCertificatesIn(leaf.cert), [], 'a certificate that is none');
  t.same(caCertificatesIn('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), [], 'what is no certificate');
  t.same(caCertificatesIn(known.map(({ pem }) => pem).join('')), known, 'what is written is read again');
});

test('a CA has its key', async (t) => {
  t.same(caCertificateOf(one.cert, one.key), known[0]);
  for (const [says, cert, key] of [
    ['the key of another', one.cert, two.key],
    ['a leaf', leaf.cert, leaf.key],
    ['nothing', '', ''],
    ['no key', one.cert, 'garbage'],
  ] as const)
    t.equal(caCertificateOf(cert, key), null, says);
});

test('a pair is signed by the key of a CA, not by its name', async (t) => {
  const { validFromDate, validToDate } = new X509Certificate(leaf.cert);
  const [notBefore, notAfter] = [validFromDate.getTime(), validToDate.getTime()];
  t.same(servingOf(leaf, names, known), { notBefore, notAfter, signer: known[0]?.id, fits: true });
  t.match(servingOf(leaf, names, known.slice(1)), { signer: null }, 'a CA of the same name has not signed it');
  t.match(servingOf(leaf, [...names, 'other'], known), { fits: false }, 'a name is missing');
  t.match(servingOf(leaf, ['transship.images'], known), { fits: false }, 'part of a name is no name');
  t.match(servingOf({ cert: leaf.cert, key: two.key }, names, known), { fits: false }, 'the key of another');
  t.equal(servingOf({ cert: '', key: leaf.key }, names, known), null);
});
