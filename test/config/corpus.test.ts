/** Policies as people write them, those of users of other tools among them: what lint says, and where. */
import { readdirSync, readFileSync } from 'node:fs';

import { test } from 'tap';

import { loadPolicy } from '../../src/config/load.ts';
import { formatFinding } from '../../src/errors/finding.ts';

const folder = new URL('../corpus/policies/', import.meta.url);
const expected = JSON.parse(readFileSync(new URL('findings.json', folder), 'utf8')) as Record<string, string[]>;
const policies = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('lint findings for each policy of the corpus', (t) => {
  t.same(policies.toSorted(), Object.keys(expected).toSorted(), 'each has its findings');
  for (const name of policies) {
    const { findings } = loadPolicy(readFileSync(new URL(name, folder), 'utf8'), name);
    t.same(
      findings.map((finding) => formatFinding(finding).slice(name.length + 1)),
      expected[name],
      name,
    );
  }
  t.end();
});
