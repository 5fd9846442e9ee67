/** The policy as the controller follows it: the last one that loaded, and the errors of the current file and of the resolved hosts. */
import type { Logger } from 'pino';

import { locate } from '../config/finding.ts';
import { parseSource } from '../config/position.ts';
import { PolicyError, PolicySource, type HostsText, type Reload, type Revision } from '../config/source.ts';
import { formatFinding, type Finding } from '../errors/finding.ts';
import { watchFiles, type Watch } from '../files/watch.ts';
import { observePolicy, observeReload } from '../observe/reload-log.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import type { ControllerMetrics } from './metrics.ts';

export interface FollowOptions {
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  /** Whether to wait until a file loads. A certificate must be renewed even while the policy has errors. */
  readonly mayWait: boolean;
}

export class FollowedPolicy {
  /** Called after each change of the policy. */
  onChange: () => void = () => {};
  readonly #file: string;
  readonly #options: FollowOptions;
  #source: PolicySource | null = null;
  #waiting: Watch | null = null;
  #refusal: readonly Finding[] | null = null;
  #hosts: HostsText | null = null;
  #hasHosts = false;
  #hostsFailure: string | null = null;

  private constructor(file: string, options: FollowOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** @throws PolicyError when the file does not load and `mayWait` is false */
  static async open(file: string, options: FollowOptions): Promise<FollowedPolicy> {
    const followed = new FollowedPolicy(file, options);
    await followed.#open();
    return followed;
  }

  /** Null until a policy has loaded. */
  get current(): Revision | null {
    return this.#source?.current ?? null;
  }

  /** Whether hosts that `useHosts` brought are in force: the policy decides as the webhook that mounts them. */
  get hasHosts(): boolean {
    return this.#hasHosts;
  }

  /** Why the current file, or the current hosts, are not in force; null when they are. */
  get refusal(): readonly Finding[] | null {
    return this.#refusal;
  }

  /** Why the hosts are not known yet; null when they are, or nothing has failed. */
  get hostsProblem(): string | null {
    return this.#hosts === null ? this.#hostsFailure : null;
  }

  /** The last hosts stay in force. */
  hostsFailed(reason: string): void {
    this.#hostsFailure = reason;
  }

  /** From now on the policy decides with these hosts. The same text is used once. */
  useHosts(hosts: HostsText): void {
    if (this.#hosts?.text === hosts.text) return;
    this.#hosts = hosts;
    this.#source?.useHosts(hosts);
  }

  /** The positions of problems in the text of the policy in force, which the file may not have any more. */
  locate(problems: readonly PolicyProblem[]): Finding[] {
    if (problems.length === 0) return [];
    const source = parseSource(this.current?.text ?? '', this.#file);
    return problems.map((problem) => locate(source, problem));
  }

  close(): void {
    this.#waiting?.close();
    this.#source?.close();
  }

  async #open(): Promise<void> {
    try {
      // No file of hosts: those that the controller itself resolved would come back late, through the kubelet.
      const { source, findings } = await PolicySource.open({ policy: this.#file, resolvedHosts: null });
      observePolicy(this.#options, source.current, findings);
      this.#source = source;
      this.#refusal = null;
      source.follow((reload) => this.#reloaded(source, reload));
      if (this.#hosts !== null) source.useHosts(this.#hosts);
    } catch (error) {
      if (!(error instanceof PolicyError) || !this.#options.mayWait) throw error;
      this.#refuse(error.findings);
      this.#waiting ??= watchFiles([this.#file], () => this.#openAgain());
    }
  }

  async #openAgain(): Promise<void> {
    if (this.#source !== null) return;
    await this.#open();
    if (this.#source === null) return;
    this.#waiting?.close();
    this.onChange();
  }

  #reloaded(source: PolicySource, reload: Reload): void {
    observeReload(this.#options, reload, source.current);
    this.#refusal = reload.result === 'refused' ? reload.findings : null;
    this.#hasHosts ||= reload.result === 'loaded' && this.#hosts !== null;
    this.onChange();
  }

  /** Reports the same file once. */
  #refuse(findings: readonly Finding[]): void {
    const texts = findings.map(formatFinding);
    if (this.#refusal?.map(formatFinding).join('\n') === texts.join('\n')) return;
    this.#refusal = findings;
    this.#options.metrics.policyReloads.inc({ result: 'refused' });
    this.#options.metrics.lastReload.set({ file: 'policy' }, 0);
    this.#options.log.error({ findings: texts }, 'the policy has errors; only certificates are maintained until it loads');
    this.onChange();
  }
}
