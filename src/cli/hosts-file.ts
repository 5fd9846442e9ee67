/** The file of resolved hosts, for a command that reads several policies with it. */
import { parseResolvedHosts } from '../config/resolved-hosts.ts';
import { PolicyError } from '../config/source.ts';
import { hasErrors } from '../errors/finding.ts';
import type { ResolvedHosts } from '../rules/registries.ts';
import type { Io } from './command.ts';
import { displayName, readText } from './input.ts';

export interface HostsFile {
  readonly hosts: ResolvedHosts;
  readonly text: string;
  /** In messages. */
  readonly name: string;
}

/**
 * @param path null where no file is given
 * @throws OperatorError (FILE_UNREADABLE, POLICY_INVALID)
 */
export async function readHosts(path: string | null, io: Io): Promise<HostsFile> {
  if (path === null) return { hosts: {}, text: '', name: '' };
  const name = displayName(path);
  const text = await readText(path, io);
  const { hosts, findings } = parseResolvedHosts(text, name);
  if (hasErrors(findings)) throw new PolicyError(name, findings);
  return { hosts, text, name };
}
