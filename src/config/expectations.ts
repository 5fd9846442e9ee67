/** Runs the `tests:` of a policy file, before it is used. */
import type { Expectation } from '../policy/types.ts';
import { problem, type PolicyProblem } from '../policy/problem.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ImageDecision } from '../rules/decision.ts';
import { decideImage } from '../rules/decide.ts';

/** One problem per failed test, with the actual result and its reason. */
export function failedExpectations({ policy, table }: CompiledPolicy): PolicyProblem[] {
  return policy.tests.flatMap((test, index) => {
    const decision = decideImage(table, test.image, { namespace: test.namespace, podLabels: test.podLabels });
    const differences = compare(test, decision);
    if (differences.length === 0) return [];
    const message = `test of ${test.image} fails: ${differences.join('; ')} (${decision.reason})`;
    return [problem('failed-test', ['tests', index], message)];
  });
}

function compare(test: Expectation, decision: ImageDecision): string[] {
  const becomes = decision.result ?? decision.image;
  const differences: string[] = [];
  if (test.becomes !== undefined && test.becomes !== becomes) differences.push(`it becomes ${becomes}, not ${test.becomes}`);
  if (test.rule !== undefined && test.rule !== decision.rule)
    differences.push(`its rule is ${decision.rule ?? 'none'}, not ${test.rule ?? 'none'}`);
  if (test.outcome !== undefined && test.outcome !== decision.outcome)
    differences.push(`its outcome is ${decision.outcome}, not ${test.outcome}`);
  if (test.pullSecrets !== undefined && test.pullSecrets.join() !== decision.pullSecrets.join()) {
    differences.push(`its pull secrets are [${decision.pullSecrets.join(', ')}], not [${test.pullSecrets.join(', ')}]`);
  }
  return differences;
}
