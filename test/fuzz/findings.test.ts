/** What fuzzing has found so far, each with its sentence. */
import { test } from 'tap';
import { parseReference } from '../../src/image/reference.ts';
import { checkReference } from './reference-target.ts';

test('a first component that looks like a host and is none counts as path: such names could be longer than the kubelet takes', (t) => {
  const component = `${'too_long_'.repeat(28)}x.io`;
  t.equal(component.length + '/app'.length, 260);
  t.match(parseReference(`${component}/app`), { ok: false, problem: 'its name is longer than 255 characters' });
  t.match(
    parseReference('a_b.c/app'),
    { ok: true, reference: { host: 'a_b.c', path: 'app' } },
    'a short one is what the kubelet pulls from a_b.c',
  );
  for (const text of [`${component}/app`, 'a_b.c/app', `${'x'.repeat(60)}.io/${'a/'.repeat(120)}b`]) checkReference(text);
  t.end();
});
