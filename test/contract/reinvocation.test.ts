import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';

import { createDryRun, eventually, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, imagesOf, originalsOf, pullSecretsOf, reviews, rulesOf, running, type CreatedPod } from './running.ts';
import { makeSidecarPolicy, sidecar, startSidecarInjector } from './sidecars.ts';

/** https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Request', resources: [{ group: '', resources: ['pods'] }] }, { level: 'None' }],
};

interface AuditEvent {
  readonly requestObject?: { readonly metadata?: { readonly name?: string } };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The flags that make the API server write its audit log, and the annotations of the pod of that name in it. */
function auditLog(t: Test): { flags: string[]; annotationsOf(pod: string): Record<string, string> } {
  const folder = t.testdir();
  const [policy, log] = [join(folder, 'policy.yaml'), join(folder, 'audit.log')];
  writeFileSync(policy, JSON.stringify(auditPolicy));
  return {
    flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`],
    annotationsOf: (pod) => {
      const events = readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line): AuditEvent => JSON.parse(line));
      return { ...events.find(({ requestObject }) => requestObject?.metadata?.name === pod)?.annotations };
    },
  };
}

/** The rounds in which the API server called the entry, as `round 0: patched`. */
function roundsOf(annotations: Readonly<Record<string, string>>, webhook: string): string[] {
  return Object.entries(annotations)
    .flatMap(([key, text]) => {
      const [, round] = /^mutation\.webhook\.admission\.k8s\.io\/round_(\d)_/.exec(key) ?? [];
      const value = round === undefined ? {} : JSON.parse(text);
      return value.webhook === webhook ? [`round ${round}: ${value.mutated ? 'patched' : 'left alone'}`] : [];
    })
    .toSorted();
}

/** What transship itself wrote into the audit log, by container. */
const writtenBy = (annotations: Readonly<Record<string, string>>, webhook: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => (key.startsWith(`${webhook}/`) ? [[key.slice(webhook.length + 1), value]] : [])),
  );

const main = 'nginx:1.27 -> mirror.example.com/library/nginx:1.27';
const byHub = /^hub@[0-9a-f]{12}$/;
/** The audit annotations of the rules, as the pod records them. */
const ruleKeys = (pod: CreatedPod): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(rulesOf(pod) ?? {}).map(([name, rule]) => [`rule.${name}`, rule]));
const both = { main: 'mirror.example.com/library/nginx:1.27', sidecar: `mirror.example.com/${sidecar.image}` };
const named = (name: string) => ({ ...podWith('nginx:1.27'), metadata: { name } });

test('others that change the pod as well', { skip: skipReason({ level: 1 }) }, async (group) => {
  const audit = auditLog(group);
  const installed = await running(group, { cluster: { apiServerArgs: audit.flags } });
  const { plane } = installed;
  await startSidecarInjector(group, plane);
  await makeSidecarPolicy(plane);
  const namespace = async (name: string, mode: 'enabled' | 'shadow', mesh: string): Promise<void> => {
    await plane.createNamespace(name, { ...labelled(mode), mesh });
    await eventually(`a sidecar comes in ${name}`, async () => {
      const images = imagesOf((await createDryRun(plane, name, podWith('nginx'))).body);
      return images['sidecar'] !== undefined && (mode === 'shadow' || images['main'] !== 'nginx');
    });
  };

  await group.test('a sidecar that comes later is rewritten in a second round', async (t) => {
    await namespace('later', 'enabled', 'webhook');
    const before = await reviews(installed);
    const pod = await createPod(installed, 'later', named('later'));
    t.equal((await reviews(installed)) - before, 2);
    t.same(imagesOf(pod), both);
    t.same(pullSecretsOf(pod), ['mirror-pull'], 'once');
    t.same(originalsOf(pod), { main: 'nginx:1.27', sidecar: sidecar.image }, 'the record of the first round is kept');

    const annotations = audit.annotationsOf('later');
    t.same(roundsOf(annotations, 'enforce.transship.dev'), ['round 0: patched', 'round 1: patched']);
    t.match(rulesOf(pod), { main: byHub, sidecar: byHub });
    t.same(writtenBy(annotations, 'enforce.transship.dev'), { main, sidecar: `${sidecar.image} -> ${both.sidecar}`, ...ruleKeys(pod) });
  });

  await group.test('a MutatingAdmissionPolicy has run before', async (t) => {
    await namespace('earlier', 'enabled', 'policy');
    const pod = await createPod(installed, 'earlier', named('earlier'));
    t.same(imagesOf(pod), both);
    t.same(originalsOf(pod), { main: 'nginx:1.27', sidecar: sidecar.image });
    t.same(writtenBy(audit.annotationsOf('earlier'), 'enforce.transship.dev'), {
      main,
      sidecar: `${sidecar.image} -> ${both.sidecar}`,
      ...ruleKeys(pod),
    });
  });

  await group.test('shadow says the same as enforce would, twice, and changes nothing', async (t) => {
    await namespace('shadowed', 'shadow', 'webhook');
    const pod = await createPod(installed, 'shadowed', named('shadowed'));
    t.same(imagesOf(pod), { main: 'nginx:1.27', sidecar: sidecar.image });
    t.same([pullSecretsOf(pod), originalsOf(pod), rulesOf(pod)], [undefined, null, null]);
    const annotations = audit.annotationsOf('shadowed');
    t.same(roundsOf(annotations, 'shadow.transship.dev'), ['round 0: left alone', 'round 1: left alone']);
    t.match(writtenBy(annotations, 'shadow.transship.dev'), {
      main,
      sidecar: `${sidecar.image} -> ${both.sidecar}`,
      'rule.main': byHub,
      'rule.sidecar': byHub,
      'pull-secret.mirror-pull': 'would be added',
    });
  });

  // What the second round says differently is dropped, and said nowhere but here: kubernetes/apiserver, pkg/admission/plugin/webhook/mutating/dispatcher.go.
  group.notMatch(
    plane.log('kube-apiserver'),
    /Failed to set admission audit annotation \S+\.transship\.dev\//,
    'no audit annotation was refused',
  );
});
