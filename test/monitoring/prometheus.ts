/** Debian's package `prometheus`: promtool, and a server that ends with the test. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alertsOf, type Alert } from '../../charts/generator/alerts.ts';
import { supervise, waitUntil } from '../cluster/process.ts';

const programs = ['/usr/bin/promtool', '/usr/bin/prometheus'];

/**
 * False when both are there, else the sentence for tap's `skip`.
 * With TRANSSHIP_REQUIRE_PROMETHEUS=1, as in CI, nothing may be skipped: it throws instead.
 */
export function prometheusSkipReason(): string | false {
  const missing = programs.find((program) => !existsSync(program));
  if (missing === undefined) return false;
  const reason = `there is no ${missing}: apt-get install prometheus (Debian)`;
  if (process.env['TRANSSHIP_REQUIRE_PROMETHEUS'] === '1') throw new Error(reason);
  return reason;
}

export const ruleFiles = ['webhook', 'controller', 'admission-policy'].map((name) =>
  fileURLToPath(new URL(`../../charts/transship/files/alerts/${name}.yaml`, import.meta.url)),
);

export const alerts: readonly Alert[] = ruleFiles.flatMap((file) => alertsOf(readFileSync(file, 'utf8')));

export interface Checked {
  readonly code: number | null;
  /** Both streams. */
  readonly text: string;
}

export function promtool(args: readonly string[], input = ''): Checked {
  const { status, stdout, stderr } = spawnSync('/usr/bin/promtool', args, { input, encoding: 'utf8' });
  return { code: status, text: stdout + stderr };
}

interface Scope {
  readonly teardown: (ended: () => unknown) => void;
}

export function folderFor(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'transship-prometheus-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

export interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[] };
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix time and value. */
  readonly values: readonly (readonly [time: number, value: string])[];
}

export interface Prometheus {
  readonly query: (expression: string) => Promise<Answer>;
  /** @param range Unix times, and the step between two points, in seconds */
  readonly queryRange: (
    expression: string,
    range: { readonly start: number; readonly end: number; readonly step: number },
  ) => Promise<Series[]>;
}

/** @param targets by job: ports of 127.0.0.1 with `/metrics` @param interval of scrapes, as Prometheus writes it */
export async function startPrometheus(t: Scope, targets: Readonly<Record<string, number>>, interval = '250ms'): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'transship-prometheus-'));
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(targets).map(([job, port]) => ({
      job_name: job,
      scrape_interval: job === 'apiserver' ? '2s' : interval,
      scrape_timeout: job === 'apiserver' ? '2s' : interval,
      static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { namespace: 'transship' } }],
    })),
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const child = supervise({
    command: '/usr/bin/prometheus',
    args: [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, '--web.listen-address=127.0.0.1:0'],
    logFile: join(folder, 'log'),
  });
  t.teardown(async () => {
    await child.stop();
    rmSync(folder, { recursive: true });
  });
  // Prometheus logs the chosen port as the address it listens on.
  const address = (): string | undefined => /msg="Listening on" address=(\S+)/.exec(child.log())?.[1];
  await waitUntil(child, 'address', async () => address() !== undefined);
  const get = async (path: string): Promise<Response> => await fetch(`http://${address()}${path}`, { headers: { connection: 'close' } });
  await waitUntil(child, '/-/ready', async () => (await get('/-/ready')).ok);
  return {
    query: async (expression) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- https://prometheus.io/docs/prometheus/latest/querying/api/
      return (await (await get(`/api/v1/query?query=${encodeURIComponent(expression)}`)).json()) as Answer;
    },
    queryRange: async (expression, { start, end, step }) => {
      const parameters = new URLSearchParams({ query: expression, start: String(start), end: String(end), step: String(step) });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a matrix, as the page above says
      const answer = (await (await get(`/api/v1/query_range?${parameters.toString()}`)).json()) as { data: { result: Series[] } };
      return answer.data.result;
    },
  };
}
