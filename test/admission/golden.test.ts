import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { parse } from 'yaml';
import type { Mode } from '../../src/admission/admit.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import { siteKey } from '../../src/pod/images.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { call, patched, type Called } from '../builders/webhook.ts';

const corpus = new URL('../corpus/reviews/', import.meta.url);
const cases = readdirSync(corpus, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const answers: readonly { file: string; mode: Mode }[] = [
  { file: 'answer.yaml', mode: 'enforce' },
  { file: 'shadow.yaml', mode: 'shadow' },
];

function read(path: string): string {
  return readFileSync(new URL(path, corpus), 'utf8');
}

function exists(path: string): boolean {
  return existsSync(new URL(path, corpus));
}

/** Without a revision, so the answers have no record of it. */
function policyFor(name: string): CompiledPolicy {
  const file = exists(`${name}/policy.yaml`) ? `${name}/policy.yaml` : 'policy.yaml';
  const { compiled, findings } = loadPolicy(read(file), file);
  if (compiled === null) throw new Error(`${file} is refused: ${JSON.stringify(findings)}`);
  return compiled;
}

/** The answer as the files have it: the patch as a list. */
function readable({ response, patch }: Called): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { ...response, ...(response.patch === undefined ? {} : { patch }) },
  };
}

test('every case has a review and an answer', (t) => {
  t.ok(cases.length >= 30, `${cases.length} cases`);
  for (const name of cases) t.ok(exists(`${name}/review.json`) && exists(`${name}/answer.yaml`), name);
  t.end();
});

for (const name of cases) {
  const policy = policyFor(name);
  const review = JSON.parse(read(`${name}/review.json`));
  const withRequest = (more: object) => ({ ...review, request: { ...review.request, ...more } });
  for (const { file, mode } of answers.filter((answer) => exists(`${name}/${answer.file}`))) {
    test(`${name}/${file}`, (t) => {
      const expected = parse(read(`${name}/${file}`));
      const first = call(review, policy, mode);
      t.strictSame(readable(first), expected, 'the answer');
      t.strictSame(readable(call(withRequest({ dryRun: !review.request.dryRun }), policy, mode)), expected, 'is the same for a dry run');

      // Reinvocation has another uid: kubernetes/apiserver, pkg/admission/plugin/webhook/request/admissionreview.go.
      const second = call(withRequest({ uid: 'second', object: patched(review.request.object, first.patch) }), policy, mode);
      t.strictSame(second.patch, [], 'a second call changes nothing');
      const audit = first.response.auditAnnotations ?? {};
      t.strictSame({ ...audit, ...second.response.auditAnnotations }, audit, 'and tells the audit log nothing else');
      t.end();
    });
  }

  test(`${name}: the record of rule and revision`, (t) => {
    const revised = { ...policy, revision: '0123456789ab' };
    const first = call(review, revised);
    const expected = Object.fromEntries(
      first.admission.images
        .filter(({ outcome, site }) => outcome === 'rewritten' && site.list !== 'ephemeralContainers')
        .map(({ rule, site }) => [siteKey(site), `${rule}@0123456789ab`]),
    );
    const object = patched(review.request.object, first.patch);
    t.strictSame(JSON.parse(object?.metadata?.annotations?.[rewrittenByAnnotation] ?? '{}'), expected);
    const again = call(withRequest({ uid: 'second', object }), { ...revised, revision: 'another' });
    t.strictSame(again.patch, [], 'a second call changes nothing, whatever the revision is by then');
    const audit = first.response.auditAnnotations ?? {};
    t.strictSame({ ...audit, ...again.response.auditAnnotations }, audit, 'and tells the audit log nothing else');
    t.end();
  });
}
