/** What `lint --against` compares with: the policy in force, whose warnings do not count again. */
import { changedImages } from '../config/changed-images.ts';
import { locate } from '../config/finding.ts';
import { loadPolicy } from '../config/load.ts';
import { parseSource } from '../config/position.ts';
import { unusedHosts } from '../config/resolved-hosts.ts';
import type { Finding } from '../errors/finding.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { printed } from '../text/printable.ts';
import type { Io } from './command.ts';
import type { HostsFile } from './hosts-file.ts';
import { displayName, readText } from './input.ts';
import { write } from './output.ts';

export interface Baseline {
  /** Whether the policy in force has the same finding, on whatever line. An error always counts, since the policy cannot be used with it. */
  readonly has: (finding: Finding) => boolean;
  /** Notes about images that come out differently. */
  readonly changes: (policy: NewPolicy) => Finding[];
}

export interface NewPolicy {
  readonly text: string;
  readonly name: string;
  readonly compiled: CompiledPolicy;
}

const none: Baseline = { has: () => false, changes: () => [] };

/**
 * A policy in force that is invalid is said on standard error and compared with nothing: the new one may be what mends it.
 *
 * @param path null without `--against`
 * @throws OperatorError (FILE_UNREADABLE)
 */
export async function readBaseline(path: string | null, hosts: HostsFile, io: Io): Promise<Baseline> {
  if (path === null) return none;
  const name = displayName(path);
  const { compiled, findings } = loadPolicy(await readText(path, io), name, hosts.hosts);
  if (compiled === null) {
    await write(io.stderr, printed`${name} is not a valid policy, so nothing is compared with it; transship lint ${path} says why\n`);
    return none;
  }
  const known = new Set([...findings, ...unusedHosts(hosts.hosts, hosts, compiled.policy)].map(keyOf));
  return {
    has: (finding) => finding.severity === 'warning' && known.has(keyOf(finding)),
    changes: (now) => {
      const source = parseSource(now.text, now.name);
      return changedImages(compiled, now.compiled).map((each) => locate(source, each));
    },
  };
}

const keyOf = ({ code, message }: Finding): string => `${code} ${message}`;
