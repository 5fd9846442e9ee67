/** Keeps the webhook's certificate valid and trusted by the API servers: observes, asks src/tls/rotation.ts for the next step, takes it. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { describeError, isConflict, retryAfterOf } from '../../cluster/api-error.ts';
import { recordEvent, type EventDetails } from '../../cluster/events.ts';
import { applyObject, createObject } from '../../cluster/object-writes.ts';
import { issueServing, createCa } from '../../tls/certificate.ts';
import { bundleOf, nextStep, timesProblem, type RotationState, type RotationStep } from '../../tls/rotation.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { StepBackoff, type Step } from '../step-backoff.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';
import {
  caContent,
  caSecret,
  caSecretName,
  configurationWithBundle,
  servingContent,
  servingSecret,
  serviceNames,
  type CertificateNames,
} from './certificate-objects.ts';
import { CertificateWatches, RotationStates, type ObservedObjects } from './certificate-watches.ts';

type WritingStep = Exclude<RotationStep, { readonly do: 'wait' }>;

/** There is one thing to reconcile: the three objects are written one after the other. */
const key = 'certificates';
/** Milliseconds for which changes are gathered. */
const debounceMs = 20;
/** Milliseconds after which it looks in any case: the clock may have been set. */
const resyncPeriod = 3_600_000;
/** Milliseconds after which what was written is looked at although no watch has delivered it. */
const observeWithin = 10_000;

export const certificatesReconciler: ReconcilerFactory = (context) => new CertificatesReconciler(context);

class CertificatesReconciler implements Reconciler {
  readonly name = 'certificates';
  readonly #context: ReconcilerContext;
  readonly #names: CertificateNames;
  readonly #stopping = new AbortController();
  readonly #states: RotationStates;
  readonly #steps = new StepBackoff();
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
    const problem = timesProblem(this.#context.options.certificates);
    if (problem !== null) this.#context.log.warn({ problem }, 'certificates may not be renewed in time');
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopReading();
    this.#context.metrics.certificateExpiry.reset();
    await Promise.all([this.#queue.stop(), this.#watches?.close()]);
  }

  /** Ready when there is nothing to do now: there is a valid certificate, and API servers are told to trust it. */
  isReady(): boolean {
    return this.#step?.do === 'wait' && this.#failure === null;
  }

  problems(): string[] {
    const { serving, previous } = this.#state ?? {};
    const isRotating = this.#step?.do === 'wait' && previous !== undefined && previous.length > 0;
    return [
      timesProblem(this.#context.options.certificates),
      this.#failure,
      serving === null ? `Secret ${this.#names.tlsSecret} holds no certificate: no webhook pod can start` : null,
      isRotating ? 'a CA is being replaced: the old one stays trusted until no webhook pod serves its certificate' : null,
      ...this.#steps.disputed().map((what) => `${what} is changed by somebody else all the time; it is corrected at growing intervals`),
    ].filter((problem) => problem !== null);
  }

  async #reconcile(): Promise<Requeue> {
    const observed = this.#watches?.observed() ?? null;
    if (observed === null) return done;
    if (observed.configuration === null) {
      // Not yet there, or not any more because the release is being taken away: what was written now would stay behind.
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
    const delay = this.#steps.delay(this.#identify(step, observed));
    return delay > 0 ? requeueAfter(delay) : this.#take(step, observed);
  }

  async #take(step: WritingStep, observed: ObservedObjects): Promise<Requeue> {
    const { cluster, log, metrics } = this.#context;
    const what = objectOf[step.do];
    const verb = observed[what] === null ? 'create' : 'update';
    const count = (result: 'done' | 'conflict' | 'failed'): void =>
      metrics.writes.inc({ kind: what === 'configuration' ? 'mutatingwebhookconfiguration' : 'secret', verb, result });
    try {
      const object = await this.#render(step, observed);
      const write = verb === 'create' ? createObject : applyObject;
      const version = await write(cluster, object, this.#stopping.signal);
      this.#written = what;
      this.#failure = null;
      count('done');
      metrics.certificateSteps.inc({ step: step.do });
      log.info({ step: step.do }, stepTexts[step.do]);
      if (this.#steps.taken(this.#identify(step, observed))) this.#tellDispute(what);
      return requeueUntil(version, observeWithin);
    } catch (error) {
      if (this.#stopping.signal.aborted) return done;
      count(isConflict(error) ? 'conflict' : 'failed');
      // In a conflict somebody else was faster; what they wrote is looked at next.
      if (!isConflict(error)) this.#fail(`${step.do}: ${describeError(error)}`);
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }

  async #render(step: WritingStep, observed: ObservedObjects): Promise<KubernetesObject> {
    const names = this.#names;
    const { caLifetime, certificateLifetime } = this.#context.options.certificates;
    switch (step.do) {
      case 'create-ca': {
        const made = await createCa(caSecretName(names), step.period);
        return caSecret(names, { ...made, previous: bundleOf(step.previous), lifetime: caLifetime }, observed.ca);
      }
      case 'adopt':
      case 'retire':
        return caSecret(names, { ...caContent(observed.ca), previous: bundleOf(step.previous) }, observed.ca);
      case 'issue': {
        const issued = await issueServing(caContent(observed.ca), serviceNames(names), step.period);
        return servingSecret(names, { ...issued, bundle: step.bundle, lifetime: certificateLifetime }, observed.serving);
      }
      case 'store':
        return servingSecret(names, { ...servingContent(observed.serving), bundle: step.bundle }, observed.serving);
      case 'publish':
        return configurationWithBundle(names.webhookConfiguration, step.bundle, observed.configuration);
    }
  }

  /** The step as one that may be repeated: a renewal replaces another certificate, and is another step. */
  #identify(step: WritingStep, observed: ObservedObjects): Step {
    const ca = caContent(observed.ca).cert;
    // What is lost again and again is the same step, whatever else is trusted by then.
    const content = step.do === 'create-ca' ? ca : 'bundle' in step ? step.bundle : `${ca}${bundleOf(step.previous)}`;
    const replaced = step.do === 'issue' ? servingContent(observed.serving).cert : '';
    return { key: this.#describe(objectOf[step.do]), verb: step.do, content: content + replaced };
  }

  #describe(what: keyof ObservedObjects): string {
    const { tlsSecret, webhookConfiguration } = this.#names;
    if (what === 'configuration') return `caBundle of MutatingWebhookConfiguration ${webhookConfiguration}`;
    return `Secret ${what === 'ca' ? caSecretName(this.#names) : tlsSecret}`;
  }

  /** The loss of a certificate that was there, once; at a first installation there was none. */
  #tellLoss(before: RotationState | null, { ca, adoptable, serving }: RotationState): void {
    if (serving !== null || (before !== null && before.serving === null)) return;
    if (before === null && ca === null && adoptable.length === 0) return;
    const message = `Secret ${this.#names.tlsSecret} holds no certificate any more: no webhook pod can start until the controller has made a new one`;
    this.#context.log.warn({ secret: this.#names.tlsSecret }, 'the certificate is gone; a new one is made');
    this.#record({ reason: 'CertificateMissing', message });
  }

  #tellDispute(what: keyof ObservedObjects): void {
    const object = this.#describe(what);
    const message = `${object} is changed by somebody else again and again. It is corrected at growing intervals of up to 90 s. \`kubectl get --show-managed-fields\` shows who writes it.`;
    this.#context.log.warn({ object }, 'an object is changed by somebody else again and again');
    this.#record({ reason: 'WriteDisputed', message });
  }

  #fail(reason: string): void {
    if (this.#failure === reason) return;
    this.#failure = reason;
    this.#context.log.warn({ reason }, 'the certificate cannot be kept; trying again');
    this.#record({ reason: 'CertificateNotKept', message: reason });
  }

  /** About the Secret, whatever it is about: the controller may write events in its own namespace. */
  #record({ reason, message }: Pick<EventDetails, 'reason' | 'message'>): void {
    const { namespace, tlsSecret } = this.#names;
    const regarding = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: tlsSecret } };
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

/** What a step writes. */
const objectOf: Readonly<Record<WritingStep['do'], keyof ObservedObjects>> = {
  'create-ca': 'ca',
  adopt: 'ca',
  retire: 'ca',
  issue: 'serving',
  store: 'serving',
  publish: 'configuration',
};

const stepTexts: Readonly<Record<WritingStep['do'], string>> = {
  'create-ca': 'created a CA',
  adopt: 'the CA of the certificate in use stays trusted',
  retire: 'the previous CA is no longer trusted',
  issue: 'issued a certificate',
  store: 'stored the trust bundle beside the certificate',
  publish: 'set caBundle',
};
