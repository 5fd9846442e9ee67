/** Loads the policy of a command like `serve` does. */
import { access } from 'node:fs/promises';
import { formatFinding } from '../errors/finding.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { unreadableReason } from '../errors/system-error.ts';
import { PolicySource } from '../config/source.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { printed } from '../text/printable.ts';
import type { Io } from './command.ts';

export interface PolicyFlags {
  readonly policy: string;
  readonly 'resolved-hosts': string | null;
}

/**
 * Prints warnings to stderr.
 *
 * @throws OperatorError: POLICY_INVALID with every finding, FILE_UNREADABLE for a file that cannot be read
 */
export async function openPolicy(flags: PolicyFlags, io: Io): Promise<CompiledPolicy> {
  if (flags.policy === '-') throw new OperatorError('USAGE', '--policy - is no file', 'name a file, or /dev/stdin');
  await mustExist(flags['resolved-hosts']);
  const { source, findings } = await open(flags);
  for (const finding of findings) io.stderr.write(printed`${formatFinding(finding)}\n`);
  return source.current.compiled;
}

/** A file that cannot be read has no line to correct: the same error as that of any other file. */
async function open(flags: PolicyFlags): ReturnType<typeof PolicySource.open> {
  try {
    return await PolicySource.open({ policy: flags.policy, resolvedHosts: flags['resolved-hosts'] });
  } catch (error) {
    const unreadable = error instanceof OperatorError ? error.findings.find(({ code }) => code === 'file-unreadable') : undefined;
    if (unreadable === undefined) throw error;
    throw new OperatorError('FILE_UNREADABLE', unreadable.message.replace(/^the file/, unreadable.file), undefined, { cause: error });
  }
}

/** `serve` starts before the controller has written this file; here it was named explicitly, so it must exist. */
async function mustExist(path: string | null): Promise<void> {
  if (path === null) return;
  try {
    await access(path);
  } catch (error) {
    throw new OperatorError(
      'FILE_UNREADABLE',
      `${path} cannot be read: ${unreadableReason(error)}`,
      'leave --resolved-hosts out where nothing is resolved',
      { cause: error },
    );
  }
}
