/** What the playground decides: a policy and images or manifests in, findings and decisions out. Runs in a browser. */
import { z } from 'zod';
import { loadPolicy } from '../config/load.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { Finding } from '../errors/finding.ts';
import { decideDocument, defaultNamespace, type ManifestImage } from '../manifests/decide.ts';
import { offsetAt } from '../manifests/nodes.ts';
import { parseManifests, plainValue } from '../manifests/parse.ts';
import type { Outcome } from '../policy/outcome.ts';
import { tokens } from '../patch/pointer.ts';
import type { CompiledPolicy } from '../rules/compile.ts';

// The policy of the page allows no code that is made at run time, which zod would try.
z.config({ jitless: true });

export interface PlayedImage {
  readonly image: string;
  readonly outcome: Outcome;
  readonly rule: string | null;
  readonly result: string | null;
  readonly pullSecrets: readonly string[];
  readonly reason: string;
  /** Line of the input, starts at 1. */
  readonly line: number;
}

export interface Played {
  readonly findings: readonly Pick<Finding, 'severity' | 'line' | 'column' | 'code' | 'message'>[];
  /** Empty while the policy has an error. */
  readonly images: readonly PlayedImage[];
  /** What is wrong with the input; null if it can be read. */
  readonly problem: string | null;
}

/**
 * @param input images, one a line, or manifests
 * @param namespace of images, and of manifests that do not state theirs
 */
export function play(policy: string, input: string, namespace: string): Played {
  const { compiled, findings } = loadPolicy(policy, 'policy');
  if (compiled === null) return { findings, images: [], problem: null };
  try {
    return { findings, images: (isManifest(input) ? ofManifests : ofLines)(compiled, input, namespace || defaultNamespace), problem: null };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { findings, images: [], problem: error.message };
  }
}

/** An image has no space, so a line with a key of a manifest is none. */
function isManifest(input: string): boolean {
  return /^\s*\{|\b(?:apiVersion|kind)"?\s*:\s/m.test(input);
}

function ofManifests(policy: CompiledPolicy, input: string, namespace: string): PlayedImage[] {
  const file = parseManifests(input, 'the manifests');
  return file.documents.flatMap((document) => {
    const { images } = decideDocument(policy, plainValue(file, document), { namespaceOf: (stated) => stated ?? namespace });
    return images.map((each) => {
      const offset = document.base + offsetAt(document.document, tokens(each.pointer));
      return playedImage(each, file.lines.linePos(offset).line);
    });
  });
}

/** Each is the only container of a pod. */
function ofLines(policy: CompiledPolicy, input: string, namespace: string): PlayedImage[] {
  return input.split('\n').flatMap((text, index) => {
    const image = text.trim();
    if (image === '') return [];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ name: 'image', image }] } };
    return decideDocument(policy, pod, { namespaceOf: () => namespace }).images.map((each) => playedImage(each, index + 1));
  });
}

function playedImage({ decision }: ManifestImage, line: number): PlayedImage {
  const { image, outcome, rule, result, pullSecrets, reason } = decision;
  return { image, outcome, rule, result, pullSecrets, reason, line };
}
