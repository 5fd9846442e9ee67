/** Kubernetes before 1.36 does not know the object, and says so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tap, { test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { applyAll, defaults } from './equality.ts';
import { policyOf } from './policies.ts';

tap.setTimeout(120_000);
tap.jobs = 2;

/** 1.32 is the API server of 1.34 that acts like its predecessor. */
for (const minor of ['1.32', '1.34', '1.35'])
  test(`Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const plane = await startControlPlane(t, { emulatedVersion: minor });
    const policy = policyOf(['{ name: a, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path } }']);
    const text = exportAdmissionPolicy(policy, defaults)
      .files.map((file) => file.text)
      .join('');
    t.match(text, 'It needs Kubernetes 1.36 or newer');
    await t.rejects(applyAll(plane, text), { message: /could not find the requested resource/ });
    const path = join(plane.folder, 'policy.yaml');
    writeFileSync(path, text);
    const refused: unknown = await plane.kubectl(['apply', '-f', path]).catch((error: unknown) => error);
    t.match(refused, { stderr: /no matches for kind "MutatingAdmissionPolicy" in version "admissionregistration.k8s.io\/v1"/ });
  });
