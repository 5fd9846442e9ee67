/**
 * Values of the chart by which the API server does not ask the webhook about pods that no rule concerns: the condition, and the revision of the
 * policy that it was made from, which the chart compares.
 */
import type { PolicyProblem } from '../policy/problem.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { indented } from './admission-policy/cel.ts';
import { concernCondition } from './admission-policy/concern.ts';
import { maxExpression } from './admission-policy/entries.ts';
import { tableOf, type Table } from './admission-policy/table.ts';
import { headLine, refusal, type Exported } from './exported.ts';

export function exportMatchImages(policy: CompiledPolicy): Exported {
  const ofHosts = Object.entries(policy.policy.registries).flatMap(([name, { hostFrom }]) =>
    hostFrom === undefined
      ? []
      : [
          refusal(
            ['registries', name, 'hostFrom'],
            `the host of registry ${name} is resolved in the cluster, and the condition would not follow it`,
          ),
        ],
  );
  if (ofHosts.length > 0) return { files: [], refusals: ofHosts };
  const table = tableOf(policy);
  const condition = concernCondition(table);
  if (condition === null) return { files: [], refusals: everyImage(policy, table) };
  if (condition.expression.length > maxExpression) {
    const message = `the condition would have ${condition.expression.length} characters, and the API server takes 100,000; use fewer hosts`;
    return { files: [], refusals: [refusal(['rules'], message)] };
  }
  const text = `${headLine('match-images')}
# Values of the chart. A container that another webhook or policy adds later to a pod that was passed over is not rewritten.
matchImages:
  revision: ${JSON.stringify(policy.revision ?? '')}
  expression: |-
${indented(condition.expression, '    ')}
`;
  return { files: [{ path: 'match-images.yaml', text }], refusals: [] };
}

/** The rules, and else the registries, for which no condition can be made. */
function everyImage(policy: CompiledPolicy, table: Table): PolicyProblem[] {
  const ofRules = policy.rules.flatMap((rule, index) => {
    const alone = concernCondition({ ...table, rules: table.rules.filter(({ name }) => name === rule.policy.name), secrets: [] });
    return alone === null ? [refusal(['rules', index], 'it may match images of any host, so every pod would be sent')] : [];
  });
  return ofRules.length > 0 ? ofRules : [refusal(['registries'], 'there are too many registries with pull secrets for a condition')];
}
