/** The loop that keeps the webhook's certificate valid and the API servers trusting it: looks, asks src/tls/rotation.ts for the next step, takes it. */
import { describeError, isConflict, retryAfterOf } from '../../cluster/api-error.ts';
import { Backoff } from '../../cluster/backoff.ts';
import { recordEvent } from '../../cluster/events.ts';
import { nextStep, timesProblem, type RotationState } from '../../tls/rotation.ts';
import type { CertificateNames } from './certificate-objects.ts';
import { CertificatePace } from './certificate-pace.ts';
import { CertificateView, type SeenObjects } from './certificate-view.ts';
import { CertificateWatches } from './certificate-watches.ts';
import { CertificateWriter, targetOf, type WritingStep } from './certificate-writer.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';

/** Milliseconds for which changes are gathered. */
const settleTime = 20;
/** Milliseconds between two looks while the watches have not shown enough and tell of nothing. */
const patience = 10_000;
/** Milliseconds after which it looks in any case: the clock may have been set. */
const longestWait = 3_600_000;
const backoffBounds = { minimum: 1000, maximum: 60_000 };

export const certificatesReconciler: ReconcilerFactory = (context) => new CertificatesReconciler(context);

class CertificatesReconciler implements Reconciler {
  readonly name = 'certificates';
  readonly #context: ReconcilerContext;
  readonly #names: CertificateNames;
  readonly #stopping = new AbortController();
  readonly #writer: CertificateWriter;
  readonly #view: CertificateView;
  readonly #backoff = new Backoff(backoffBounds);
  readonly #pace = new CertificatePace();
  #watches: CertificateWatches | null = null;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | null = null;
  /** On the monotonic clock: no step before it, whatever changes. */
  #notBefore = 0;
  #state: RotationState | null = null;
  #isAtRest = false;
  #failure: string | null = null;
  #stopReading = (): void => {};

  constructor(context: ReconcilerContext) {
    const { namespace, certificates } = context.options;
    this.#context = context;
    this.#names = { namespace, ...certificates };
    this.#writer = new CertificateWriter(context.cluster, this.#names, this.#stopping.signal);
    this.#view = new CertificateView(this.#names);
  }

  start(): void {
    this.#watches = new CertificateWatches(this.#context, this.#names, () => this.#soon(settleTime));
    this.#stopReading = this.#context.metrics.onScrape(() => this.#measure());
    const problem = timesProblem(this.#context.options.certificates);
    if (problem !== null) this.#context.log.warn({ problem }, 'certificates may not be renewed in time');
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    this.#stopReading();
    this.#context.metrics.certificateExpiry.reset();
    await Promise.all([this.#turn, this.#watches?.close()]);
  }

  /** Ready when there is nothing to do now: what is served is valid, and API servers are told to trust it. */
  isReady(): boolean {
    return this.#isAtRest && this.#failure === null;
  }

  problems(): string[] {
    return [timesProblem(this.#context.options.certificates), this.#failure].filter((problem) => problem !== null);
  }

  #soon(milliseconds: number): void {
    if (this.#stopping.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        // The turn that is being taken looks again when it ends.
        this.#turn ??= this.#take().then((pause) => {
          this.#turn = null;
          this.#soon(pause);
        });
      },
      Math.max(milliseconds, this.#notBefore - performance.now()),
    );
  }

  /** Resolves to the milliseconds until the next look; never rejects. */
  async #take(): Promise<number> {
    const seen = this.#watches?.seen() ?? null;
    if (seen === null) return patience;
    if (seen.configuration === null) {
      // Not yet there, or not any more because the release is being taken away: what was written now would stay behind.
      this.#fail(`MutatingWebhookConfiguration ${this.#names.webhookConfiguration} is not there; nothing is written without it`);
      return longestWait;
    }
    this.#state = this.#view.look(seen);
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    const step = nextStep(this.#state, this.#context.options.certificates, Date.now());
    this.#isAtRest = step.do === 'wait';
    if (step.do === 'wait') {
      this.#failure = null;
      return Math.min(Math.max(step.milliseconds, settleTime), longestWait);
    }
    const pause = this.#pace.pause(step);
    return pause > 0 ? pause : this.#carryOut(step, seen);
  }

  async #carryOut(step: WritingStep, seen: SeenObjects): Promise<number> {
    const { log, metrics } = this.#context;
    const what = targetOf[step.do];
    const count = (result: 'done' | 'conflict' | 'failed'): void =>
      metrics.writes.inc({
        kind: what === 'configuration' ? 'mutatingwebhookconfiguration' : 'secret',
        verb: seen[what] === null ? 'create' : 'update',
        result,
      });
    try {
      this.#watches?.wrote(await this.#writer.write(step, seen));
      this.#pace.taken(step);
      this.#backoff.reset();
      this.#failure = null;
      count('done');
      metrics.certificateSteps.inc({ step: step.do });
      log.info({ step: step.do }, stepTexts[step.do]);
      return settleTime;
    } catch (error) {
      if (this.#stopping.signal.aborted) return 0;
      count(isConflict(error) ? 'conflict' : 'failed');
      const pause = this.#backoff.next(retryAfterOf(error));
      this.#notBefore = performance.now() + pause;
      // Somebody else was faster; what they wrote is looked at next.
      if (!isConflict(error)) this.#fail(`${step.do}: ${describeError(error)}`);
      return pause;
    }
  }

  #fail(reason: string): void {
    this.#isAtRest = false;
    if (this.#failure === reason) return;
    this.#failure = reason;
    const { cluster, log } = this.#context;
    const { namespace, tlsSecret } = this.#names;
    log.warn({ reason }, 'the certificate cannot be kept; trying again');
    const regarding = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: tlsSecret } };
    void recordEvent(cluster, { regarding, reason: 'CertificateNotKept', message: reason, type: 'Warning', action: 'RotateCertificate' });
  }

  #measure(): void {
    const { certificateExpiry } = this.#context.metrics;
    const { ca, serving } = this.#state ?? {};
    if (ca) certificateExpiry.set({ certificate: 'ca' }, ca.notAfter / 1000);
    if (serving) certificateExpiry.set({ certificate: 'serving' }, serving.notAfter / 1000);
  }
}

const stepTexts: Readonly<Record<WritingStep['do'], string>> = {
  'create-ca': 'a new CA is there',
  adopt: 'the CA of the certificate in use is kept',
  retire: 'the CA before is not trusted any more',
  issue: 'a new certificate is there',
  store: 'the trust bundle is stored beside the certificate',
  publish: 'API servers are told whom to trust',
};
