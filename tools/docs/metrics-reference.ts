/** The tables of docs/reference/metrics.md that follow from the code: our metrics, and the values of their labels. */
import { skipCodes } from '../../src/admission/scope.ts';
import { createMetrics, reviewResults } from '../../src/observe/metrics.ts';

const marks = {
  begin: '<!-- metrics: written by npm run generate from src/observe and src/admission/scope.ts -->',
  end: '<!-- end of metrics -->',
} as const;

/** @param page the present page, of which everything but the tables stays */
export function metricsReference(page: string): string {
  const [head, rest] = page.split(marks.begin);
  const tail = rest?.split(marks.end)[1];
  if (tail === undefined) throw new Error(`docs/reference/metrics.md needs the lines ${marks.begin} and ${marks.end}`);
  return `${head}${marks.begin}\n\n${metricsTable()}\n\n${valuesTable('reason', skipCodes)}\n\n${valuesTable('result', reviewResults)}\n\n${marks.end}${tail}`;
}

function metricsTable(): string {
  const metrics = createMetrics().registry.getMetricsAsArray();
  const rows = metrics
    .filter(({ name }) => name.startsWith('transship_'))
    .map((metric) => `| \`${metric.name}\` | ${String(metric.type)} | ${labelsOf(metric)} | ${metric.help} |`);
  return ['| Metric | Type | Labels | What it counts |', '|---|---|---|---|', ...rows].join('\n');
}

function labelsOf(metric: object): string {
  const names = 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
  return names.map((name) => `\`${name}\``).join(', ');
}

function valuesTable(label: string, values: Readonly<Record<string, string>>): string {
  const rows = Object.entries(values).map(([value, meaning]) => `| \`${value}\` | ${meaning} |`);
  return [`| \`${label}\` | Meaning |`, '|---|---|', ...rows].join('\n');
}
