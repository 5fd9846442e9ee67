/** The policy file as the controller follows it: the last policy that loaded, and the errors of the current file. */
import type { Logger } from 'pino';

import { PolicyError, PolicySource, type Reload, type Revision } from '../config/source.ts';
import { formatFinding, type Finding } from '../errors/finding.ts';
import { watchFiles, type Watch } from '../files/watch.ts';
import { observePolicy, observeReload } from '../observe/reload-log.ts';
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

  /** Why the current file is not in force; null when it is. */
  get refusal(): readonly Finding[] | null {
    return this.#refusal;
  }

  close(): void {
    this.#waiting?.close();
    this.#source?.close();
  }

  async #open(): Promise<void> {
    try {
      // The controller resolves the hosts itself, so it reads no file of resolved hosts.
      const { source, findings } = await PolicySource.open({ policy: this.#file, resolvedHosts: null });
      observePolicy(this.#options, source.current, findings);
      this.#source = source;
      this.#refusal = null;
      source.follow((reload) => this.#reloaded(source, reload));
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
