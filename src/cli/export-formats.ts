/** The formats of `transship export`: each is a line here, with the flags that only it has in flags.ts. */
import { exportAdmissionPolicy } from '../export/admission-policy/admission-policy.ts';
import { exportContainerd } from '../export/containerd.ts';
import { exportCrio } from '../export/crio.ts';
import { exportK3s } from '../export/k3s.ts';
import { exportKyverno } from '../export/kyverno.ts';
import { exportMatchImages } from '../export/match-images.ts';
import type { Exported } from '../export/exported.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { admissionPolicyFlags, admissionPolicyOptions } from './admission-policy-flags.ts';
import type { exportFlags } from './flags.ts';
import type { Flags, Given } from './read-flags.ts';

export interface ExportFormat {
  /** One line for the list of formats. */
  readonly summary: string;
  /** Beside those of every format. */
  readonly flags: Flags;
  /** It is made from the whole policy or not at all: there is no --partial. */
  readonly isWhole?: true;
  readonly export: (policy: CompiledPolicy, values: Readonly<Record<string, unknown>>) => Exported;
}

interface Definition<F extends Flags> {
  readonly summary: string;
  readonly flags: F;
  readonly isWhole?: true;
  readonly export: (policy: CompiledPolicy, values: Given<F & typeof exportFlags>['values']) => Exported;
}

function format<const F extends Flags>(definition: Definition<F>): ExportFormat {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- export.ts reads the values with these flags
  return definition as unknown as ExportFormat;
}

export const exportFormats: Readonly<Record<string, ExportFormat>> = {
  'admission-policy': format({
    summary: 'a MutatingAdmissionPolicy for Kubernetes 1.36 and newer, which does what the webhook does',
    flags: admissionPolicyFlags,
    export: (policy, values) => exportAdmissionPolicy(policy, admissionPolicyOptions(values)),
  }),
  kyverno: format({
    summary: "a MutatingPolicy of Kyverno, with the admission policy's expressions",
    flags: admissionPolicyFlags,
    export: (policy, values) => exportKyverno(policy, admissionPolicyOptions(values)),
  }),
  'match-images': format({
    summary: 'values of the chart by which the webhook is not asked about pods that no rule concerns',
    flags: {},
    isWhole: true,
    export: exportMatchImages,
  }),
  containerd: format({
    summary: 'a hosts.toml for each host, for the config_path of containerd',
    flags: {},
    export: exportContainerd,
  }),
  k3s: format({ summary: 'registries.yaml of K3s and RKE2', flags: {}, export: exportK3s }),
  crio: format({ summary: 'registries.conf of CRI-O and Podman', flags: {}, export: exportCrio }),
};
