/** What `transship export admission-policy` prints, for the chart's value `admissionPolicy.exported`. */
import { loadPolicy } from '../../src/config/load.ts';
import { revisionOf } from '../../src/config/revision.ts';
import { exportAdmissionPolicy, type AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import { release } from './chart.ts';

export const policyText = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [pull] }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
tests:
  - { image: nginx, becomes: mirror.example.com/library/nginx, rule: hub }
`;

/** For the defaults of the chart. */
const options: AdmissionPolicyOptions = {
  name: release.name,
  failurePolicy: 'Ignore',
  optIn: 'OptIn',
  optInValue: 'enabled',
  shadowValue: 'shadow',
  otherValues: [],
  excludedNamespaces: [release.namespace],
  matchConditions: [],
};

export function exportedPolicy(changed: Partial<AdmissionPolicyOptions> = {}, text = policyText): string {
  const { compiled, findings } = loadPolicy(text, 'policy.yaml', {});
  if (compiled === null) throw new Error(`the policy of the test does not load: ${JSON.stringify(findings)}`);
  const { files, refusals } = exportAdmissionPolicy({ ...compiled, revision: revisionOf(text, '') }, { ...options, ...changed });
  const [file] = files;
  if (file === undefined) throw new Error(`the policy of the test cannot be exported: ${JSON.stringify(refusals)}`);
  return file.text;
}
