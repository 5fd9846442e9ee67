/** The images that a new policy decides differently, as far as the policies themselves tell which images there are. */
import { problem, type PolicyPath, type PolicyProblem } from '../policy/problem.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decideImage } from '../rules/decide.ts';
import type { ImageDecision, PodContext } from '../rules/decision.ts';
import { alternativeImages, differenceOf, type Difference } from '../rules/difference.ts';
import { contextOf, sampleOf } from './lint/samples.ts';

interface Candidate {
  readonly image: string;
  readonly context: PodContext;
}

/** One note for each of the images of `tests`, and of one example of each pattern, in both policies. Paths are of the new one. */
export function changedImages(old: CompiledPolicy, now: CompiledPolicy): PolicyProblem[] {
  const all = [...candidatesOf(now), ...candidatesOf(old)];
  const unique = new Map(all.map((candidate) => [JSON.stringify(candidate), candidate]));
  return [...unique.values()].flatMap(({ image, context }) => {
    const difference = differenceOf(decideImage(old.table, image, context), decideImage(now.table, image, context));
    return difference === null ? [] : [problem('image-differs', pathOf(now, difference.new), sentence(difference, context))];
  });
}

function candidatesOf({ policy, rules }: CompiledPolicy): Candidate[] {
  const tests = policy.tests.map(({ image, namespace, podLabels }) => ({ image, context: { namespace, podLabels } }));
  const examples = rules.flatMap((rule) =>
    rule.images.flatMap((pattern) => {
      const sample = sampleOf(pattern);
      return sample === null ? [] : [{ image: sample.text, context: contextOf(rule) }];
    }),
  );
  return [...tests, ...examples];
}

/** The rule that decides it now, or all rules where none does. */
function pathOf({ policy }: CompiledPolicy, { rule }: ImageDecision): PolicyPath {
  const index = policy.rules.findIndex(({ name }) => name === rule);
  return index === -1 ? ['rules'] : ['rules', index];
}

function sentence({ image, old, new: now }: Difference, { namespace }: PodContext): string {
  const where = namespace === 'default' ? '' : ` in namespace ${namespace}`;
  return `${image}${where} ${outcomeOf(now)}; before, it ${outcomeOf(old)}`;
}

function outcomeOf(decision: ImageDecision): string {
  const { result, outcome, pullSecrets, pullPolicy } = decision;
  const alternatives = alternativeImages(decision).map((image) => `, or else ${image}`);
  const becomes = result === null ? `stays as written (${outcome})` : `becomes ${result}`;
  const secrets = pullSecrets.length === 0 ? '' : `, with pull secrets ${pullSecrets.join(', ')}`;
  return `${becomes}${alternatives.join('')}${secrets}${pullPolicy === 'keep' ? '' : `, with pull policy ${pullPolicy}`}`;
}
