/** The tables of docs/reference/metrics.md and controller.md that follow from the code: our metrics, and the values of their labels. */
import type { Registry } from 'prom-client';
import { skipCodes } from '../../src/admission/scope.ts';
import {
  copyStates,
  createControllerMetrics,
  fallbackResults,
  targetTransitions,
  verifyResults,
  writeResults,
} from '../../src/controller/metrics.ts';
import { createMetrics, reviewResults } from '../../src/observe/metrics.ts';

export function metricsReference(): string {
  return [metricsTable(createMetrics().registry), valuesTable('reason', skipCodes), valuesTable('result', reviewResults)].join('\n\n');
}

export function controllerMetricsReference(): string {
  const { registry } = createControllerMetrics();
  return [
    metricsTable(registry),
    valuesTable('state', copyStates),
    valuesTable('result', writeResults),
    valuesTable('result', fallbackResults),
    valuesTable('transition', targetTransitions),
    valuesTable('result', verifyResults),
  ].join('\n\n');
}

function metricsTable(registry: Registry): string {
  const rows = registry
    .getMetricsAsArray()
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
