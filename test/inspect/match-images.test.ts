/** What `doctor` and `why` say about the match condition from the rules: of the policy in the ConfigMap, of an older one, and edited. */
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { revisionOf } from '../../src/config/revision.ts';
import { runChecks } from '../../src/inspect/doctor/check.ts';
import { webhookChecks } from '../../src/inspect/doctor/webhook-checks.ts';
import type { ReleaseFacts } from '../../src/inspect/doctor/facts.ts';
import { notAsked } from '../../src/inspect/why/not-asked.ts';
import type { Verdict } from '../../src/inspect/why/evidence.ts';
import { configurationWith, policyText, release, withRelease } from './facts.ts';

const present = revisionOf(release.policy!.text, '');
const { compiled } = loadPolicy(policyText, 'policy.yaml');

const withCondition = (revision: string): ReleaseFacts['configuration'] =>
  configurationWith((webhook) => {
    webhook.matchConditions = [{ name: 'an-image-is-concerned', expression: `// Of revision ${revision} of the policy.\nfalse` }];
  });

function found(change: Partial<ReleaseFacts>): readonly string[] {
  const check = runChecks(webhookChecks, withRelease(change)).find(({ id }) => id === 'match-images');
  return check === undefined ? [] : [check.state, ...check.problems.map(({ sentence }) => sentence)];
}

test('doctor', (t) => {
  t.strictSame(found({}), ['ok'], 'no condition');
  t.strictSame(found({ configuration: withCondition(present) }), ['ok']);
  t.match(
    found({ configuration: withCondition('0123456789ab') })[1],
    new RegExp(`revision 0123456789ab .*, and revision ${present} is in`),
  );
  t.match(found({ configuration: withCondition('?') })[1], /revision unknown of the policy/);
  t.strictSame(found({ configuration: withCondition('0123456789ab'), policy: null }), ['not-seen']);
  t.end();
});

function why(revision: string): Verdict {
  return notAsked({
    pod: { metadata: { name: 'web', namespace: 'shop', creationTimestamp: new Date('2026-06-01T00:00:00Z') } },
    workload: null,
    namespace: { metadata: { name: 'shop', labels: { 'transship.dev/rewrite': 'enabled' } } },
    releases: [{ ...release, configuration: withCondition(revision), policy: { ...release.policy!, changed: null } }],
    policy: compiled!,
  });
}

test('why', (t) => {
  t.match(why(present), {
    code: 'passed-over',
    reason: /another webhook or policy added this image later/,
    remedy: /leave matchImages empty .*delete it/,
  });
  t.match(why('0123456789ab'), {
    code: 'passed-over',
    reason: new RegExp(`is of revision 0123456789ab of the policy, and revision ${present} is in the ConfigMap`),
    remedy: /transship export match-images/,
  });
  t.match(why('?'), { reason: /is of revision unknown of the policy/ });
  t.end();
});
