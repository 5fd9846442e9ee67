/** The policy that a command decides by, loaded the way `serve` loads it. */
import { access } from 'node:fs/promises';
import { formatFinding } from '../config/finding.ts';
import { PolicyError, PolicySource } from '../config/source.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Io } from './command.ts';
import { Failure, messageOf } from './failure.ts';

export interface PolicyFlags {
  readonly policy?: string | undefined;
  readonly 'resolved-hosts'?: string | undefined;
}

/**
 * Warnings go to stderr.
 *
 * @throws Failure: USAGE without --policy, INVALID with every finding of a file that cannot be used; UNREADABLE for resolved hosts that are not there
 */
export async function openPolicy(flags: PolicyFlags, io: Io): Promise<CompiledPolicy> {
  if (flags.policy === undefined) throw new Failure('USAGE', '--policy is missing; name a policy file with it');
  await mustExist(flags['resolved-hosts']);
  try {
    const { source, findings } = await PolicySource.open({ policy: flags.policy, resolvedHosts: flags['resolved-hosts'] ?? null });
    for (const finding of findings) io.stderr.write(`${formatFinding(finding)}\n`);
    return source.current.compiled;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new Failure('INVALID', [error.message, ...error.findings.map(formatFinding)].join('\n'), error);
  }
}

/** `serve` starts before the controller has written this file; somebody who names it here wants it read. */
async function mustExist(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(path);
  } catch (error) {
    throw new Failure(
      'UNREADABLE',
      `${path} cannot be read: ${messageOf(error)}; leave --resolved-hosts out where nothing is resolved`,
      error,
    );
  }
}
