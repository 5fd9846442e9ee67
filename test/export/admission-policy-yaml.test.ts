/** The text that `export` prints and the object that the controller writes are the same policy, whatever names and conditions it has. */
import * as fc from '../random/fast-check.ts';
import tap, { test } from 'tap';
import { parse } from 'yaml';
import { admissionPolicy, exportAdmissionPolicy, type AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { defaults, loaded } from './equality.ts';
import { broadPolicy } from './spellings.ts';
import { unusualTexts } from './unusual-policy.ts';

tap.setTimeout(120_000);

/** What YAML would read otherwise in a plain text or in a block. */
const conditions: AdmissionPolicyOptions['matchConditions'] = [
  { name: 'no', expression: ' object.metadata.name != " a"' },
  { name: 'true', expression: '\nobject.metadata.name != "b"\n' },
  { name: 'null', expression: 'object.metadata.name != "c" ' },
  { name: '10', expression: '\tobject.metadata.name != "d"\n\n' },
  { name: '0x1f', expression: 'object.metadata.name != "e" &&\r\n  object.metadata.name != "E"' },
  { name: '1e3', expression: 'object.metadata.name != "\u0085\u2028\u2029\ufeff\ufffe"' },
  { name: 'example.com/f', expression: 'object.metadata.name != "f" // a: b, - c, # d\n|| true' },
  { name: 'y', expression: 'object.metadata.name != "é 漢字 🚢"' },
];

const policies = [broadPolicy, ...fc.sample(unusualTexts, { seed: 1, numRuns: 20 })];
const firstDocument = (text: string): string => text.split('\n---\n', 1)[0] ?? '';

test('read again', (t) => {
  for (const text of policies) {
    const policy = loaded(text);
    const options = { ...defaults, matchConditions: conditions };
    const [file] = exportAdmissionPolicy(policy, options).files;
    const object = parse(firstDocument(file?.text ?? ''), { version: '1.1' }) as { readonly spec: unknown };
    t.strictSame(object.spec, admissionPolicy(policy, options).spec);
  }
  t.end();
});

test('as the API server reads it', { skip: skipReason({ level: 1 }) }, async (t) => {
  const { api } = await startControlPlane(t, {});
  for (const [index, text] of policies.entries()) {
    const policy = loaded(text);
    const options = { ...defaults, name: `policy-${index}`, matchConditions: conditions };
    const url = `/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/${options.name}?fieldManager=test`;
    const exported = firstDocument(exportAdmissionPolicy(policy, options).files[0]?.text ?? '');
    const { status, body } = await api.send<{ spec: object; message?: string }>('PATCH', url, exported, 'application/apply-patch+yaml');
    t.equal(status, 201, `${body.message}`);
    t.match(body.spec, admissionPolicy(policy, options).spec);
  }
});
