import { test } from 'tap';
import { podFields, readPod } from '../../src/pod/pod.ts';
import { appendSecrets, missingSecrets } from '../../src/pod/pull-secrets.ts';

const whole = (...names: string[]) => [{ op: 'add', path: '/spec/imagePullSecrets', value: names.map((name) => ({ name })) }];
const each = (...names: string[]) => names.map((name) => ({ op: 'add', path: '/spec/imagePullSecrets/-', value: { name } }));

const rows: readonly [says: string, pod: unknown, wanted: readonly string[], expected: readonly object[]][] = [
  ['no list', { spec: {} }, ['a', 'b'], whole('a', 'b')],
  ['null', { spec: { imagePullSecrets: null } }, ['a'], whole('a')],
  ['an empty list', { spec: { imagePullSecrets: [] } }, ['a'], each('a')],
  ['some there', { spec: { imagePullSecrets: [{ name: 'z' }, { name: 'a' }] } }, ['a', 'b', 'c'], each('b', 'c')],
  ['all there', { spec: { imagePullSecrets: [{ name: 'a' }] } }, ['a'], []],
  ['wanted twice', { spec: {} }, ['a', 'a'], whole('a')],
  ['nothing wanted', { spec: {} }, [], []],
  ['entries without a name', { spec: { imagePullSecrets: [{}, null, 'a', { name: 1 }, ['a']] } }, ['a'], each('a')],
  ['a name of JavaScript', { spec: { imagePullSecrets: [{}] } }, ['constructor'], each('constructor')],
  ['no spec', {}, ['a'], []],
  ['no pod', null, ['a'], []],
  // A list used to be added below a text, which rejects the pod.
  ['a spec that is no object', { spec: 'text' }, ['a'], []],
  ['something else in its place', { spec: { imagePullSecrets: 'a' } }, ['a'], []],
  ['a map in its place', { spec: { imagePullSecrets: { name: 'a' } } }, ['b'], []],
];

for (const [says, pod, wanted, expected] of rows) {
  test(says, (t) => {
    const present = readPod(pod, podFields([])).pullSecrets;
    t.strictSame(appendSecrets(present, missingSecrets(present, wanted)), expected);
    t.end();
  });
}
