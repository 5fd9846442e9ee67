/**
 * A policy as `registries.conf` of CRI-O, Podman and others that use containers/image: a name is replaced by a location, and the longest
 * prefix decides. A location without mirrors is the only place that is asked.
 * https://github.com/containers/image/blob/v5.36.0/docs/containers-registries.conf.5.md
 */
import { dockerHub, isPlainHttp } from '../image/host.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { printable } from '../text/printable.ts';
import { decideName, namesIn, type Winner } from './decisions.ts';
import { headLine, type Exported } from './exported.ts';
import { isUnderName, nameText, type Name } from './name.ts';
import { podSettings } from './pod-settings.ts';
import { replacementOf } from './replacement.ts';
import { comesFirst, ruleRefusals } from './refusals.ts';

interface Entry {
  readonly name: Name;
  /** The name itself where images are not replaced. */
  readonly location: Name;
  readonly winner: Winner | null;
  /** Why the images are not replaced though a rule says so. */
  readonly conflict: string | null;
}

export function exportCrio(policy: CompiledPolicy): Exported {
  const entries = namesIn(policy).map((name) => entryOf(policy, name));
  const byName = new Map(entries.map((entry) => [nameText(entry.name), entry]));
  const refusals = ruleRefusals(policy, {
    program: 'CRI-O',
    knows: 'it compares whole components of a name, and no tags',
    problemAt: (name) => byName.get(nameText(name))?.conflict ?? null,
  });
  const used = entries.flatMap(({ winner, location, name }) =>
    winner === null || location === name ? [] : [{ winner, target: location }],
  );
  const written = withoutRepeated(entries);
  const text = [headLine('crio'), ...shortNames(written), ...written.map(entryText)].join('\n');
  return { files: [{ path: 'registries.conf', text: `${text}\n` }], refusals: [...refusals, ...podSettings(policy, used)] };
}

function entryOf(policy: CompiledPolicy, name: Name): Entry {
  const { winner, obstacles } = decideName(policy, name);
  const replacement = winner === null ? null : replacementOf(policy, winner, name);
  const kept = { name, location: name, winner, conflict: null };
  if (replacement?.kind !== 'name') return kept;
  if (name.length === 0) return { ...kept, conflict: 'CRI-O has no entry for every host; name the hosts' };
  const conflict = comesFirst(obstacles);
  return conflict === null ? { ...kept, location: replacement.name } : { ...kept, conflict };
}

/** Without entries that say what the entry above them says already, or that no entry is needed for. */
function withoutRepeated(entries: readonly Entry[]): Entry[] {
  const written: Entry[] = [];
  for (const entry of entries.filter(({ name }) => name.length > 0)) {
    const above = written.findLast(({ name }) => isUnderName(entry.name, name));
    const inherited = above === undefined ? entry.name : [...above.location, ...entry.name.slice(above.name.length)];
    if (nameText(inherited) !== nameText(entry.location)) written.push(entry);
  }
  return written;
}

/** A policy takes `nginx` for `docker.io/library/nginx`. */
function shortNames(entries: readonly Entry[]): string[] {
  if (!entries.some(({ name }) => name[0] === dockerHub)) return [];
  return ['# Names without a host are those of Docker Hub, as in the policy.', `unqualified-search-registries = ["${dockerHub}"]`];
}

function entryText({ name, location, winner }: Entry): string {
  const isKept = nameText(location) === nameText(name);
  const comment = isKept ? 'from the registry itself' : `rule ${printable(winner?.rule.policy.name ?? '')}`;
  const insecure = isPlainHttp(location[0] ?? '') ? '\ninsecure = true' : '';
  return `\n# ${comment}\n[[registry]]\nprefix = "${nameText(name)}"\nlocation = "${nameText(location)}"${insecure}`;
}
