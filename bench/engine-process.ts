/** One round of the engine suite, on the sources below the folder that is the first argument. Prints JSON. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { RE2JS } from 're2js';
import type * as admitModule from '../src/admission/admit.ts';
import type * as responseModule from '../src/admission/response.ts';
import type * as reviewModule from '../src/admission/review.ts';
import type * as schemaModule from '../src/config/schema.ts';
import type * as compileModule from '../src/rules/compile.ts';
import type * as decideModule from '../src/rules/decide.ts';
import type { EngineResult } from './suites/engine.ts';
import { otherExpression, policyOf, transforms, type PolicyWish } from './policies.ts';
import { reviewOf } from './reviews.ts';

const [root = '', length] = process.argv.slice(2);
/** Milliseconds that each figure is measured for. */
const time = length === 'quick' ? 20 : 200;

const at = async (path: string): Promise<unknown> => await import(pathToFileURL(`${root}/src/${path}`).href);
const { decideImage } = (await at('rules/decide.ts')) as typeof decideModule;
const { compilePolicy } = (await at('rules/compile.ts')) as typeof compileModule;
const { policySchema } = (await at('config/schema.ts')) as typeof schemaModule;
const { readReview, reviewFields } = (await at('admission/review.ts')) as typeof reviewModule;
const { admit } = (await at('admission/admit.ts')) as typeof admitModule;
const toResponse = await responseFunction();

type Policy = ReturnType<typeof compilePolicy>;
const compiled = (wish: PolicyWish): Policy => {
  const policy = compilePolicy(policySchema.parse(policyOf(wish)));
  if (policy.problems.length > 0) throw new Error(JSON.stringify(policy.problems));
  return policy;
};

const context = { namespace: 'shop', podLabels: { app: 'shop' } };
const scope = { releaseNamespace: 'transship', imageManagers: ['cloudnative-pg'], excludedOperators: ['cloudnative-pg'] };
// Many images, so that nothing can be remembered from the call before.
const images = Array.from({ length: 512 }, (_, index) => `quay.io/acme/service-${index}:1.${index}.0`);
const results: EngineResult[] = [];

const one = compiled({ rules: 1 });
for (const rules of [50, 500, 5_000]) {
  const { table } = compiled({ rules });
  record(
    { name: `an image, ${rules} rules that name hosts`, reference: 'one rule' },
    images.length,
    decideAll(table),
    decideAll(one.table),
  );
}
const regexes = compiled({ rules: 501, others: 'regexes' });
const expressions = Array.from({ length: 500 }, (_, index) => RE2JS.compile(otherExpression(index)));
const few = images.slice(0, 16);
// A rewritten name is looked up a second time, to see that it would not be rewritten again.
const twice = few.flatMap((image) => [image, `proxy.example.com/proxy/my-app/${image}`]);
record(
  { name: 'an image, 500 rules with a regex', reference: '500 expressions of RE2, each tried on the name and on the result' },
  few.length,
  decideAll(regexes.table, few),
  () => twice.map((image) => expressions.some((expression) => expression.matcher(image).find())),
);
for (const [name, wish] of Object.entries(transforms)) {
  const { table } = compiled({ rules: 1, ...wish });
  record({ name: `an image, ${name}`, reference: 'fullName' }, images.length, decideAll(table), decideAll(one.table));
}
for (const containers of [1, 10, 50]) {
  const text = reviewOf({ size: 0, containers });
  const value: unknown = JSON.parse(text);
  record(
    { name: `a pod of ${containers + 1} images, 50 rules`, reference: 'JSON.parse of its review' },
    1,
    decideReview(value, compiled({ rules: 50 })),
    () => JSON.parse(text),
  );
}
process.stdout.write(JSON.stringify(results));

function decideAll(table: Policy['table'], texts: readonly string[] = images): () => unknown {
  return () => texts.map((text) => decideImage(table, text, context));
}

/** Revisions before the reviews' fields were declared have it under another name. */
async function responseFunction(): Promise<(typeof responseModule)['toResponse']> {
  if (existsSync(`${root}/src/admission/response.ts`)) return ((await at('admission/response.ts')) as typeof responseModule).toResponse;
  return ((await at('admission/answer.ts')) as { readonly answer: (typeof responseModule)['toResponse'] }).answer;
}

/** From the parsed review to the text of the answer. */
function decideReview(value: unknown, policy: Policy): () => unknown {
  // Absent in those revisions too.
  const fields = (reviewFields as typeof reviewFields | undefined)?.([]) as ReturnType<typeof reviewFields>;
  return () => {
    const read = readReview(value, fields);
    if (!read.ok) throw new Error(read.problem);
    return JSON.stringify(
      toResponse(read.review.uid, admit(read.review, policy, scope, 'enforce'), (text) => Buffer.from(text).toString('base64')),
    );
  };
}

/** Both in turn, in slices, so that they share every slow moment. @param calls that one run makes */
function record(what: Pick<EngineResult, 'name' | 'reference'>, calls: number, run: () => unknown, runReference: () => unknown): void {
  slice(run, time / 2);
  slice(runReference, time / 2);
  let [value, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let turn = 0; turn < 5; turn += 1) {
    value = Math.min(value, slice(run, time / 5));
    other = Math.min(other, slice(runReference, time / 5));
  }
  results.push({ ...what, unit: 'ns', round: { value: value / calls, reference: other / calls } });
}

/** CPU nanoseconds a run. */
function slice(run: () => unknown, milliseconds: number): number {
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  let runs = 0;
  do {
    run();
    runs += 1;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / runs;
}
