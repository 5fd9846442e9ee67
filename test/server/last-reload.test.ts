/** The gauge of the last reload, by file: 0 for as long as the content of the file cannot be used, however it was corrected. */
import { test } from 'tap';
import { mounted, type Content } from '../files/mounted.ts';
import { authority, otherAuthority, servingPair } from '../tls/pairs.ts';
import { metricsOf, running } from './running.ts';
import { until } from './until.ts';

const policy = (host: string): string => `apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { mirror: { host: ${host} } }\n`;
const [pair, renewed] = [await servingPair(), await servingPair()];
const good: Content = { 'policy.yaml': policy('a.example.com'), 'ca.crt': authority.cert, 'tls.crt': pair.cert, 'tls.key': pair.key };

const cases: readonly (readonly [file: string, bad: Content, other: Content])[] = [
  ['policy', { 'policy.yaml': 'ruels: []' }, { 'policy.yaml': policy('b.example.com') }],
  ['certificate', { 'tls.key': renewed.key }, { 'tls.crt': renewed.cert, 'tls.key': renewed.key }],
  ['client-ca', { 'ca.crt': '' }, { 'ca.crt': otherAuthority.cert }],
];

test('the gauge follows each file, whether the old content comes back or a new one follows', async (t) => {
  const files = await mounted(t.testdir({}), good);
  const server = await running(t, {
    policy: { policy: files.path('policy.yaml'), resolvedHosts: null },
    clientCaFile: files.path('ca.crt'),
    tls: { certFile: files.path('tls.crt'), keyFile: files.path('tls.key') },
  });
  const gauges = async (): Promise<Record<string, unknown>> => {
    const metrics = await metricsOf(server);
    return Object.fromEntries(cases.map(([file]) => [file, metrics.get(`transship_config_last_reload_successful{file="${file}"}`)]));
  };
  const all = Object.fromEntries(cases.map(([file]) => [file, 1]));
  t.same(await gauges(), all, 'from the start');
  for (const [file, bad, other] of cases) {
    for (const next of [good, { ...good, ...other }]) {
      await files.swap({ ...good, ...bad });
      await until(`${file} is refused`, async () => (await gauges())[file] === 0);
      t.same(await gauges(), { ...all, [file]: 0 }, `${file} alone`);
      await files.swap(next);
      await until(`${file} is used`, async () => (await gauges())[file] === 1);
    }
  }
  t.same(await gauges(), all, 'and all are used at the end');
});

test('a file that is not there to be followed has no gauge', async (t) => {
  const metrics = await metricsOf(await running(t));
  const files = [...metrics.keys()].filter((name) => name.startsWith('transship_config_last_reload_successful'));
  t.notOk(files.some((name) => name.includes('client-ca')));
});
