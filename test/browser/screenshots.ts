/** The pictures in docs/images, made from the program: `npm run screenshots`, then look at them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadPolicy } from '../../src/config/load.ts';
import { reportPage } from '../../src/inspect/report/page.ts';
import { scanPods } from '../../src/inspect/scan/scan.ts';
import { programFile } from '../../src/cli/program-files.ts';
import { playgroundPage } from '../../src/playground/page.ts';
import { skipReason } from '../cluster/binaries.ts';
import { dashboardPage } from '../monitoring/dashboard-picture.ts';
import { prometheusSkipReason } from '../monitoring/prometheus.ts';
import { openPage } from './chromium.ts';

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: registry.example.com, pullSecrets: [mirror] } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path, prefix: hub } }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path, prefix: quay } }
  - { name: kubernetes, match: { images: [registry.k8s.io] }, rewrite: { registry: mirror, as: path, prefix: k8s } }
`;
const images: Readonly<Record<string, readonly string[]>> = {
  shop: ['nginx:1.27', 'redis:7', 'postgres:17', 'ghcr.io/acme/shop:4.2'],
  monitoring: ['quay.io/prometheus/prometheus:v3.1.0', 'quay.io/prometheus/node-exporter:v1.8.2', 'grafana/grafana:11.4.0'],
  ingress: ['registry.k8s.io/ingress-nginx/controller:v1.12.0', 'k8s.gcr.io/pause:3.2'],
};

const pods = Object.entries(images).flatMap(([namespace, all]) =>
  all.map((image, index) => ({ metadata: { namespace, name: `pod-${index}` }, spec: { containers: [{ name: 'main', image }] } })),
);
const folder = mkdtempSync(join(tmpdir(), 'transship-'));
const teardowns: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
try {
  const report = join(folder, 'report.html');
  writeFileSync(report, reportPage(scanPods(pods, loadPolicy(policy, 'policy.yaml').compiled), new Date('2026-01-01T12:00:00Z')));
  const playground = join(folder, 'playground.html');
  writeFileSync(playground, await playgroundPage(programFile('examples/sample.yaml')));
  const scope = { teardown: (ended: () => unknown) => void teardowns.unshift(ended) };
  const dashboard = join(folder, 'dashboard.html');
  const missing = prometheusSkipReason() || skipReason({ level: 1, helm: false });
  if (missing === false) writeFileSync(dashboard, await dashboardPage(scope));
  else process.stderr.write(`no picture of the dashboard: ${missing}\n`);
  for (const [name, file] of Object.entries({ report, playground, ...(missing === false ? { dashboard } : {}) })) {
    const { page } = await openPage(scope, pathToFileURL(file).href);
    await page.screenshot({
      path: fileURLToPath(new URL(`../../docs/images/${name}.png`, import.meta.url)),
      fullPage: name === 'dashboard',
    });
  }
} finally {
  for (const ended of teardowns) await ended();
}
