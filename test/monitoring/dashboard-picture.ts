/**
 * The dashboard of the chart as a page, with data of a real Prometheus. Not Grafana, which no package registry has: the panels are those of
 * the JSON, at their places, and are drawn by uPlot, the library that Grafana draws time series with.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { createNamespace } from '../controller/controllers.ts';
import { exportPolicy, failCalls, failPull, policyNamespace, registerUnreachable } from './incidents.ts';
import type { Prometheus, Series } from './prometheus.ts';
import { optedIn, startSystem, type System } from './system.ts';

interface Scope {
  readonly teardown: (ended: () => unknown) => void;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string; readonly noValue?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

/** A panel with its data: seconds, and one list of values of each series, null where it has none. */
export interface Drawn extends Omit<Panel, 'targets'> {
  readonly times: readonly number[];
  readonly series: readonly { readonly legend: string; readonly values: readonly (number | null)[] }[];
}

/** Seconds. */
const [observed, step] = [120, 2];
const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
/** With pods; one that has the service account without which no pod is taken. */
const namespace = 'web';
const images = ['nginx:1.27', 'redis:7', 'quay.io/acme/shop:4.2', 'ghcr.io/acme/tool:1', 'registry.k8s.io/pause:3.10', 'nginx:1:2'];

export async function dashboardPage(t: Scope): Promise<string> {
  const plane = await startControlPlane(undefined, { level: 1 });
  t.teardown(() => plane.stop());
  const system = await startSystem(t, plane, '2s');
  await plane.createNamespace(namespace, optedIn);
  await callWebhook(plane, system);
  await registerUnreachable(plane);
  await exportPolicy(plane);
  const start = Date.now() / 1000;
  await work(plane, system, start + observed);
  const { panels }: { panels: readonly Panel[] } = JSON.parse(
    readFileSync(new URL('../../charts/transship/files/dashboard.json', import.meta.url), 'utf8'),
  );
  const range = { start: Math.floor(start), end: Math.floor(start) + observed, step };
  const drawn = await Promise.all(panels.map((panel) => draw(system.prometheus, panel, range)));
  const empty = drawn.filter(
    ({ type, series }) => type === 'timeseries' && series.every(({ values }) => values.every((each) => each === null)),
  );
  if (empty.length > 0) throw new Error(`panels without data: ${empty.map(({ title }) => title).join(', ')}`);
  return pageOf(drawn);
}

/** The API server calls `serve` for pods of opted-in namespaces, as it does with the chart. */
async function callWebhook(plane: ControlPlane, { webhook }: System): Promise<void> {
  const hook = {
    name: 'enforce.transship.dev',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    clientConfig: { url: `https://127.0.0.1:${webhook.port}/mutate`, caBundle: Buffer.from(webhook.ca).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: optedIn },
  };
  const { status } = await plane.api.send('POST', configurations, { metadata: { name: 'picture' }, webhooks: [hook] });
  if (status !== 201) throw new Error(`the webhook is not registered: ${status}`);
}

/** Pods in waves, an opted-out pod now and then, new namespaces for pull secrets, the probes of a kubelet, and what goes wrong meanwhile. */
async function work(plane: ControlPlane, { webhook, asked }: System, end: number): Promise<void> {
  for (let turn = 0; Date.now() / 1000 < end; turn += 1) {
    const pods = Math.round(6 + 5 * Math.sin(turn / 12));
    await Promise.all(Array.from({ length: pods }, (_, index) => createPod(plane, turn + index)));
    for (let index = 0; index < 2; index += 1) await createPod(plane, turn + index, policyNamespace);
    const left = end - Date.now() / 1000;
    if (left < 0.6 * observed && left > 0.4 * observed) await failCalls(plane);
    if (turn % 20 === 5) await failPull(plane, turn, asked);
    if (turn % 40 === 10) await createNamespace(plane, `team-${turn}`, optedIn);
    if (turn % 10 === 0) await fetchReadiness(webhook);
    await sleep(400);
  }
}

async function createPod(plane: ControlPlane, number: number, place = namespace): Promise<void> {
  const labels = number % 9 === 0 ? { 'transship.dev/rewrite': 'disabled' } : {};
  const containers = [0, 1].map((index) => ({ name: `main-${index}`, image: images[(number * (index + 1)) % images.length] }));
  const pod = { metadata: { generateName: 'web-', labels }, spec: { containers } };
  const { status, body } = await plane.api.send('POST', `/api/v1/namespaces/${place}/pods?dryRun=All`, pod);
  if (status !== 201) throw new Error(`a pod was answered ${status}: ${JSON.stringify(body)}`);
}

async function fetchReadiness({ port, ca }: System['webhook']): Promise<void> {
  const { get } = await import('node:https');
  await new Promise<void>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/readyz', ca, servername: 'localhost', agent: false }, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
}

async function draw(
  prometheus: Prometheus,
  { targets = [], ...panel }: Panel,
  range: { readonly start: number; readonly end: number; readonly step: number },
): Promise<Drawn> {
  const times = Array.from({ length: (range.end - range.start) / range.step + 1 }, (_, index) => range.start + index * range.step);
  const found = await Promise.all(
    targets.map(async ({ expr, legendFormat }) => {
      const filled = expr.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '10s');
      return (await prometheus.queryRange(filled, range)).map((series) => ({
        legend: legendOf(legendFormat, series),
        values: valuesOf(series, times),
      }));
    }),
  );
  return { ...panel, times, series: found.flat() };
}

function legendOf(format: string, { metric }: Series): string {
  return format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '').trim();
}

function valuesOf({ values }: Series, times: readonly number[]): (number | null)[] {
  const byTime = new Map(values.map(([time, value]) => [time, Number(value)]));
  return times.map((time) => {
    const value = byTime.get(time);
    return value === undefined || Number.isNaN(value) ? null : value;
  });
}

const own = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** @param panels in the order of the JSON */
export function pageOf(panels: readonly Drawn[]): string {
  const require = createRequire(import.meta.url);
  const file = (name: string): string => readFileSync(require.resolve(`uplot/dist/${name}`), 'utf8');
  const data = JSON.stringify(panels).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Dashboard</title>
<style>${file('uPlot.min.css')}${own('dashboard-picture.css')}</style>
<main></main><script type="application/json" id="data">${data}</script>
<script>${file('uPlot.iife.min.js')}</script><script>${own('dashboard-picture.js')}</script></html>`;
}
