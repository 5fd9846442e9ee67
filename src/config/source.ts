/**
 * The policy in force. It is replaced as a whole, and only by a policy that loads without errors: whatever happens to the file, the last
 * good policy stays in force.
 */
import { readFile } from 'node:fs/promises';
import { followFiles } from '../files/follow.ts';
import type { Watch } from '../files/watch.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { hasErrors, type Finding } from '../errors/finding.ts';
import { messageOf } from '../errors/message.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { errorCode, unreadableReason } from '../errors/system-error.ts';
import { loadPolicy } from './load.ts';
import { parseResolvedHosts, unusedHosts } from './resolved-hosts.ts';
import { revisionOf } from './revision.ts';

export interface PolicyFiles {
  readonly policy: string;
  /** YAML map of registry name to host, written by the controller; null if there is none. */
  readonly resolvedHosts: string | null;
}

/** The same map from another place than a file. */
export interface HostsText {
  /** Where it comes from, for findings. */
  readonly name: string;
  readonly text: string;
}

export interface Revision {
  readonly compiled: CompiledPolicy;
  readonly id: string;
  /** Of the policy file, for positions in it. */
  readonly text: string;
}

export type Reload =
  | { readonly result: 'loaded'; readonly revision: Revision; readonly findings: readonly Finding[] }
  | { readonly result: 'refused'; readonly findings: readonly Finding[] };

export class PolicySource {
  readonly #files: PolicyFiles;
  /** As read last. */
  #texts: Texts;
  /** In place of a file. */
  #hosts: HostsText | null = null;
  #current: Revision;
  #onReload: (reload: Reload) => void = () => {};
  #watch: Watch | null = null;

  private constructor(files: PolicyFiles, texts: Texts, current: Revision) {
    this.#files = files;
    this.#texts = texts;
    this.#current = current;
  }

  /** @throws PolicyError when the first load fails: there is no earlier policy to fall back on */
  static async open(files: PolicyFiles): Promise<{ readonly source: PolicySource; readonly findings: readonly Finding[] }> {
    const texts = await readTexts(files);
    const reload = load(texts, files);
    if (reload.result === 'refused') throw new PolicyError(fileOf(reload.findings) ?? files.policy, reload.findings);
    return { source: new PolicySource(files, texts, reload.revision), findings: reload.findings };
  }

  get current(): Revision {
    return this.#current;
  }

  /** Starts to follow the files. @param onReload called for every change, accepted or rejected, also of hosts that are no file */
  follow(onReload: (reload: Reload) => void): void {
    const { policy, resolvedHosts } = this.#files;
    this.#onReload = onReload;
    const use = (texts: Texts): void => this.#use(texts);
    this.#watch = followFiles({
      paths: resolvedHosts === null ? [policy] : [policy, resolvedHosts],
      read: () => readTexts(this.#files),
      keyOf: contentOf,
      current: contentOf(this.#texts),
      changed: use,
      restored: use,
      // An unreadable file is already a finding. Anything else is a fault of transship, and must not end the process.
      failed: (error) => {
        const message = `it cannot be loaded because of a bug in transship, please report it: ${messageOf(error)}`;
        onReload({
          result: 'refused',
          findings: [{ file: policy, code: 'internal-error', severity: 'error', line: 1, column: 1, message }],
        });
      },
    });
  }

  /** Loads the policy with hosts that are in no file: the same policy and hosts have the same revision as from files. */
  useHosts(hosts: HostsText): void {
    this.#hosts = hosts;
    this.#use(this.#texts);
  }

  close(): void {
    this.#watch?.close();
    this.#watch = null;
  }

  #use(texts: Texts): void {
    this.#texts = texts;
    const { policy } = this.#files;
    const reload =
      this.#hosts === null
        ? load(texts, this.#files)
        : load({ ...texts, hosts: { ok: true, text: this.#hosts.text } }, { policy, resolvedHosts: this.#hosts.name });
    if (reload.result === 'loaded') this.#current = reload.revision;
    this.#onReload(reload);
  }
}

/** The file with the first error: the policy, or the one of resolved hosts. */
const fileOf = (findings: readonly Finding[]): string | undefined => findings.find(({ severity }) => severity === 'error')?.file;

/** A policy that cannot be used; `findings` has the errors with their positions. */
export class PolicyError extends OperatorError {
  override readonly name = 'PolicyError';

  constructor(file: string, findings: readonly Finding[]) {
    super('POLICY_INVALID', `${file} cannot be used`, 'correct what follows', { findings });
  }
}

interface Texts {
  readonly policy: ReadText;
  readonly hosts: ReadText;
}

async function readTexts({ policy, resolvedHosts }: PolicyFiles): Promise<Texts> {
  return { policy: await readText(policy), hosts: resolvedHosts === null ? { ok: true, text: '' } : await readText(resolvedHosts, '') };
}

const contentOf = ({ policy, hosts }: Texts): string =>
  [policy, hosts].map((read) => (read.ok ? read.text : read.finding.message)).join('\0');

function load({ policy, hosts }: Texts, files: PolicyFiles): Reload {
  if (!policy.ok) return { result: 'refused', findings: [policy.finding] };
  if (!hosts.ok) return { result: 'refused', findings: [hosts.finding] };
  const resolved = parseResolvedHosts(hosts.text, files.resolvedHosts ?? '');
  if (hasErrors(resolved.findings)) return { result: 'refused', findings: resolved.findings };
  const { compiled, findings } = loadPolicy(policy.text, files.policy, resolved.hosts);
  if (compiled === null) return { result: 'refused', findings };
  const id = revisionOf(policy.text, hosts.text);
  const unused = unusedHosts(resolved.hosts, { text: hosts.text, name: files.resolvedHosts ?? '' }, compiled.policy);
  return {
    result: 'loaded',
    revision: { compiled: { ...compiled, revision: id }, id, text: policy.text },
    findings: [...findings, ...unused],
  };
}

type ReadText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly finding: Finding };

/** @param absent content of a missing file; without it, a missing file is an error */
async function readText(path: string, absent?: string): Promise<ReadText> {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && absent !== undefined) return { ok: true, text: absent };
    return { ok: false, finding: unreadableFile(path, error) };
  }
}

function unreadableFile(file: string, error: unknown): Finding {
  const message = `the file cannot be read: ${unreadableReason(error)}`;
  return { file, code: 'file-unreadable', severity: 'error', line: 1, column: 1, message };
}
