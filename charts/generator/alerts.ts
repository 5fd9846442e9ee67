/** The alerts of the chart as a table, from its rule files. */
import { parse } from 'yaml';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Alert[] }[];
}

/** The folder that `runbook_url` of every alert begins with; the chart's value `prometheusRule.runbookUrl` replaces it. */
export const guides = 'https://github.com/transship-dev/transship/blob/main/docs/guides';

export function alertsOf(ruleFile: string): Alert[] {
  const { groups }: RuleFile = parse(ruleFile);
  return groups.flatMap(({ rules }) => rules);
}

export function alertsTable(ruleFiles: readonly string[]): string {
  const rows = ruleFiles.flatMap(alertsOf).map(({ alert, labels, annotations }) => {
    const link = annotations.runbook_url.slice(guides.length + 1);
    return `| \`${alert}\` | ${labels.severity} | ${annotations.summary} | [${firstStep(link)}](${link.replace('monitoring.md#', '#')}) |`;
  });
  return ['| Alert | Severity | Meaning | First step |', '|---|---|---|---|', ...rows].join('\n');
}

function firstStep(link: string): string {
  return link.replace(/^.*#/, '').replaceAll('-', ' ');
}
