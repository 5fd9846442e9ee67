/**
 * Keeps the webhook's certificate valid and trusted by the API servers: observes the objects, asks src/tls/rotation.ts for the next step,
 * and takes it.
 */
import { describeError, isConflict, retryAfterOf } from '../../cluster/api-error.ts';
import { recordEvent, type EventDetails } from '../../cluster/events.ts';
import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { applyObject, createObject } from '../../cluster/object-writes.ts';
import { nextStep, timesProblem, type RotationState, type RotationStep } from '../../tls/rotation.ts';
import { disputeMessage, disputeProblem, Disputes } from '../disputes.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';
import {
  caSecretName,
  objectOf,
  ofRelease,
  renderStep,
  signatureOf,
  type CertificateNames,
  type ObservedObjects,
  type WritingStep,
} from './certificate-objects.ts';
import { CertificateWatches, RotationStates } from './certificate-watches.ts';

/** The only key of the work queue: the three objects are written one after the other. */
const key = 'certificates';
/** Debounce, in milliseconds. */
const debounceMs = 20;
/** Milliseconds after which it reconciles without a change: the clock may have been set. */
const resyncPeriod = 3_600_000;
/** Shorter than for other objects: without `caBundle` no call succeeds. */
const disputeBackoff = { minDelay: 1_000, maxDelay: 60_000 };
/** Milliseconds to wait for the watch to deliver a write. */
const observeWithin = 10_000;

/** Milliseconds. */
const readTimeout = 15_000;

export const certificatesReconciler: ReconcilerFactory = (context) => new CertificatesReconciler(context);

class CertificatesReconciler implements Reconciler {
  readonly name = 'certificates';
  readonly #context: ReconcilerContext;
  readonly #names: CertificateNames;
  readonly #stopping = new AbortController();
  readonly #states: RotationStates;
  readonly #disputes = new Disputes(disputeBackoff);
  readonly #queue: WorkQueue;
  #watches: CertificateWatches | null = null;
  #written: keyof ObservedObjects = 'serving';
  #state: RotationState | null = null;
  #step: RotationStep | null = null;
  #failure: string | null = null;
  #stopReading = (): void => {};

  constructor(context: ReconcilerContext) {
    const { namespace, certificates } = context.options;
    this.#context = context;
    this.#names = { namespace, ...certificates };
    this.#states = new RotationStates(this.#names);
    this.#queue = new WorkQueue({
      reconcile: () => this.#reconcile(),
      hasObserved: (_key, version) => this.#watches?.hasObserved(this.#written, version) === true,
      debounceMs,
      onError: (_key, error) => this.#fail(describeError(error)),
    });
  }

  start(): void {
    this.#watches = new CertificateWatches(this.#context, this.#names, () => this.#queue.add(key));
    this.#stopReading = this.#context.metrics.onScrape(() => this.#measure());
    for (const step of Object.keys(objectOf)) this.#context.metrics.certificateSteps.inc({ step }, 0);
    const problem = timesProblem(this.#context.options.certificates);
    if (problem !== null) this.#context.log.warn({ problem }, 'certificates may not be renewed in time');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopReading();
    this.#context.metrics.certificateExpiry.reset();
    await Promise.all([this.#queue.stop(), this.#watches?.close()]);
  }

  /** Ready when there is nothing to do: there is a valid certificate, and caBundle contains its CA. */
  isReady(): boolean {
    return this.#step?.do === 'wait' && this.#failure === null;
  }

  problems(): string[] {
    const { serving, previous } = this.#state ?? {};
    const isRotating = this.#step?.do === 'wait' && previous !== undefined && previous.length > 0;
    return [
      timesProblem(this.#context.options.certificates),
      this.#failure,
      serving === null ? `Secret ${this.#names.tlsSecret} contains no certificate: no webhook pod can start` : null,
      isRotating ? 'a CA is being replaced: the old one stays trusted until no webhook pod serves its certificate' : null,
      ...this.#disputedObjects().map((what) => disputeProblem(this.#describe(what))),
    ].filter((problem) => problem !== null);
  }

  async #reconcile(): Promise<Requeue> {
    const observed = this.#watches?.observed() ?? null;
    if (observed === null) return done;
    if (observed.configuration === null) {
      // Not installed yet, or the release is being uninstalled: anything written now would be left behind.
      this.#step = null;
      this.#fail(`MutatingWebhookConfiguration ${this.#names.webhookConfiguration} does not exist; nothing is written without it`);
      return done;
    }
    const before = this.#state;
    this.#state = this.#states.read(observed);
    this.#tellLoss(before, this.#state);
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    const step = nextStep(this.#state, this.#context.options.certificates, Date.now());
    this.#step = step;
    if (step.do === 'wait') {
      this.#failure = null;
      return requeueAfter(Math.min(Math.max(step.milliseconds, debounceMs), resyncPeriod));
    }
    const delay = this.#disputes.delay(step.do, signatureOf(step, observed));
    return delay > 0 ? requeueAfter(delay) : this.#take(step, observed);
  }

  async #take(step: WritingStep, observed: ObservedObjects): Promise<Requeue> {
    const { cluster, log, metrics } = this.#context;
    const what = objectOf[step.do];
    const verb = observed[what] === null ? 'create' : 'update';
    const count = (result: 'done' | 'conflict' | 'failed'): void =>
      metrics.writes.inc({ kind: what === 'configuration' ? 'mutatingwebhookconfiguration' : 'secret', verb, result });
    try {
      if (verb === 'create' && !(await this.#hasConfiguration())) return done;
      const object = await renderStep(step, observed, { ...this.#context.options.certificates, ...this.#names });
      const version =
        verb === 'create'
          ? await createObject(cluster, ofRelease(object, observed.configuration), this.#stopping.signal)
          : await applyObject(cluster, object, this.#stopping.signal);
      this.#written = what;
      this.#failure = null;
      count('done');
      metrics.certificateSteps.inc({ step: step.do });
      log.info({ step: step.do }, stepTexts[step.do]);
      if (this.#disputes.written(step.do, signatureOf(step, observed))) this.#tellDispute(what, observed);
      return requeueUntil(version, observeWithin);
    } catch (error) {
      if (this.#stopping.signal.aborted) return done;
      count(isConflict(error) ? 'conflict' : 'failed');
      // A conflict means that another client wrote first; the next reconcile reads the result.
      if (!isConflict(error)) this.#fail(`${step.do}: ${describeError(error)}`);
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }

  async #hasConfiguration(): Promise<boolean> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(readTimeout)]);
    return (await this.#watches?.hasConfiguration(signal)) === true;
  }

  #disputedObjects(): (keyof ObservedObjects)[] {
    const steps = Object.keys(objectOf).filter((step): step is WritingStep['do'] => this.#disputes.isDisputed(step));
    return [...new Set(steps.map((step) => objectOf[step]))];
  }

  #describe(what: keyof ObservedObjects): string {
    const { tlsSecret, webhookConfiguration } = this.#names;
    if (what === 'configuration') return `caBundle of MutatingWebhookConfiguration ${webhookConfiguration}`;
    return `Secret ${what === 'ca' ? caSecretName(this.#names) : tlsSecret}`;
  }

  /** Reports once that an existing certificate was lost; at installation there is none yet. */
  #tellLoss(before: RotationState | null, { ca, adoptable, serving }: RotationState): void {
    if (serving !== null || (before !== null && before.serving === null)) return;
    if (before === null && ca === null && adoptable.length === 0) return;
    const message = `Secret ${this.#names.tlsSecret} no longer contains a certificate: no webhook pod can start until the controller has issued a new one`;
    this.#context.log.warn({ secret: this.#names.tlsSecret }, 'the certificate was deleted; issuing a new one');
    this.#record({ reason: 'CertificateMissing', message });
  }

  #tellDispute(what: keyof ObservedObjects, observed: ObservedObjects): void {
    const writer = lastOtherWriter(observed[what]?.metadata);
    this.#context.log.warn({ object: this.#describe(what), writer }, 'an object is repeatedly changed or deleted by another client');
    this.#record({ reason: 'WriteDisputed', message: disputeMessage(this.#describe(what), writer) });
  }

  #fail(reason: string): void {
    if (this.#failure === reason) return;
    this.#failure = reason;
    this.#context.log.warn({ reason }, 'the certificate could not be maintained; retrying');
    this.#record({ reason: 'CertificateNotKept', message: reason });
  }

  /** Recorded on the Secret, whatever the event is about: the controller may write events in its own namespace. */
  #record({ reason, message }: Pick<EventDetails, 'reason' | 'message'>): void {
    const { namespace, tlsSecret } = this.#names;
    // `kubectl describe` selects events by UID.
    const uid = this.#watches?.observed()?.serving?.metadata?.uid;
    const metadata = { namespace, name: tlsSecret, ...(uid !== undefined && { uid }) };
    const regarding = { apiVersion: 'v1', kind: 'Secret', metadata };
    void recordEvent(this.#context.cluster, { regarding, reason, message, type: 'Warning', action: 'RotateCertificate' });
  }

  #measure(): void {
    const { certificateExpiry } = this.#context.metrics;
    const { ca, serving } = this.#state ?? {};
    if (ca) certificateExpiry.set({ certificate: 'ca' }, ca.notAfter / 1000);
    if (serving) certificateExpiry.set({ certificate: 'serving' }, serving.notAfter / 1000);
    else certificateExpiry.remove({ certificate: 'serving' });
  }
}

const stepTexts: Readonly<Record<WritingStep['do'], string>> = {
  'create-ca': 'created a CA',
  adopt: 'the CA of the certificate in use stays trusted',
  retire: 'the previous CA is no longer trusted',
  issue: 'issued a certificate',
  store: 'stored the trust bundle beside the certificate',
  publish: 'set caBundle',
};
