/**
 * The schema of the policy file: keys, defaults and descriptions. Its documentation is generated from here. The types are those of
 * src/policy/types.ts.
 */
import * as z from 'zod';
import { shippedImageManagers } from '../policy/image-managers.ts';
import { outcomes } from '../policy/outcome.ts';
import type { RewritePolicy } from '../policy/types.ts';
import { imageManager } from './image-manager-schema.ts';
import { labels } from './label-schema.ts';
import { namespaceGlob, registry, secretName } from './registry-schema.ts';
import { alternative, rewrite } from './rewrite-schema.ts';

// zod's compiled checks do not pay for files that are read at most once a minute.
z.config({ jitless: true });

const pattern = z
  .union(
    [
      z.string(),
      z.strictObject({ regex: z.string().describe('RE2 expression, searched in the canonical name with its tag and digest as written.') }),
    ],
    {
      error: 'a pattern is a name such as docker.io/library/nginx, or { regex: … }',
    },
  )
  .describe(
    'Canonical image name, host first, `*` inside one component; matches the repository and everything under it. Or `{ regex: … }`.',
  );

const match = z.strictObject({
  images: z
    .array(pattern)
    .min(1, 'a rule matches at least one pattern; ["*"] matches every image')
    .describe('The rule matches if one of these matches.'),
  exclude: z.array(pattern).default([]).describe('Images that the rule does not apply to, even if `images` matches them.'),
  namespaces: z
    .array(namespaceGlob)
    .min(1, 'leave namespaces out to match every namespace')
    .optional()
    .describe('Namespaces of the pod; default: all.'),
  podLabels: labels.optional().describe('Labels that the pod must have, with exactly these values.'),
});

/** A node that cannot pull tries each in turn, and a pod needs the secrets of all. */
const maxAlternatives = 8;

const rule = z
  .strictObject({
    name: z.string().min(1).max(63).optional().describe('Shown in logs, metrics and responses; default: rule-N.'),
    match,
    rewrite: rewrite.optional(),
    alternatives: z
      .array(alternative)
      .max(maxAlternatives, `a rule has at most ${maxAlternatives} alternatives`)
      .default([])
      .describe(
        'Further targets for images that nodes cannot pull from the first, in order, each with the keys of `rewrite`. `as: original` is the image as written in the pod. A new pod gets the first target and the pull secrets of all of them; images under a target of this list are already there.',
      ),
    pullSecrets: z
      .array(secretName)
      .default([])
      .describe('Secrets that a pod gets when the rule matches, in addition to those of the registry.'),
    pullPolicy: z
      .enum(['keep', 'derive', 'IfNotPresent', 'Always'])
      .default('keep')
      .describe('imagePullPolicy of a rewritten image: unchanged, defaulted by the API server for the new name, or this value.'),
    onPullPolicyNever: z
      .enum(['auto', 'keep', 'rewrite'])
      .default('auto')
      .describe(
        'Images with `imagePullPolicy: Never`, which the node must have under the name in the pod. `keep`: left alone, for images that were loaded into the node (kind, k3d, minikube). `rewrite`: the node has them under the new name. `auto`: left alone with a warning, but rewritten in pods of Velero, which use the image name of another, rewritten pod.',
      ),
    onMissingSecret: z
      .enum(['warn', 'keep'])
      .default('warn')
      .describe(
        'Debug containers and image updates whose image goes to a registry with pull secrets that the pod does not have: secrets cannot be added to an existing pod. `warn`: rewritten, with a warning. `keep`: left alone, with a warning.',
      ),
    onMutableTag: z
      .enum(['keep', 'fallBack'])
      .default('keep')
      .describe(
        'Images without a digest and with `imagePullPolicy: Always`: the tag may name other content in the registry of an alternative. `keep`: they stay at the first target. `fallBack`: they go to the alternatives as others do. For the feature `fallback` of the controller.',
      ),
  })
  .refine((value) => value.pullPolicy === 'keep' || value.rewrite !== undefined, {
    error: 'pullPolicy applies to rewritten images; this rule has no rewrite',
    path: ['pullPolicy'],
  })
  .refine((value) => value.alternatives.length === 0 || value.rewrite !== undefined, {
    error: 'alternatives come after the target of rewrite; this rule has no rewrite',
    path: ['alternatives'],
  })
  .refine((value) => value.onMutableTag === 'keep' || value.alternatives.length > 0, {
    error: 'onMutableTag is about alternatives; this rule has none',
    path: ['onMutableTag'],
  });

const expectation = z
  .strictObject({
    image: z.string().describe('Image as written in a pod.'),
    becomes: z.string().optional().describe('The expected image in the pod; the same image if it must be left alone.'),
    rule: z.string().nullable().optional().describe('The rule that matches, null for none.'),
    outcome: z.enum(outcomes).optional().describe('The outcome of the decision.'),
    pullSecrets: z.array(z.string()).optional().describe('All pull secrets for the image, in order.'),
    namespace: z.string().default('default').describe('Namespace of the pod.'),
    podLabels: labels.default({}).describe('Labels of the pod.'),
  })
  .refine(
    (value) => value.becomes !== undefined || value.rule !== undefined || value.outcome !== undefined || value.pullSecrets !== undefined,
    {
      error: 'a test expects at least one of becomes, rule, outcome and pullSecrets',
    },
  );

const defaultPlaceholders = ['auto'];

/** Every rule gets a name, since logs and metrics use it. */
function named<T extends { readonly name?: string | undefined }>(entry: T, index: number): T & { readonly name: string } {
  return { ...entry, name: entry.name ?? `rule-${index + 1}` };
}

/** A section may be empty (`rules:` with nothing below it), for instance when every entry is commented out. */
export const policySchema = z
  .strictObject({
    apiVersion: z.literal('transship.dev/v1'),
    kind: z.literal('RewritePolicy'),
    registries: z
      .record(z.string(), registry)
      .nullable()
      .default({})
      .transform((registries) => registries ?? {})
      .describe('The registries that nodes pull from, by a name that you choose.'),
    exclude: z
      .strictObject({
        images: z
          .array(pattern)
          .nullable()
          .default([])
          .transform((images) => images ?? [])
          .describe('Images that are never rewritten.'),
      })
      .nullable()
      .prefault({})
      .transform((exclude) => exclude ?? { images: [] })
      .describe('Excluded from all rules.'),
    rules: z
      .array(rule)
      .nullable()
      .default([])
      .transform((rules) => (rules ?? []).map(named))
      .describe('In order, the first rule that matches an image decides.'),
    placeholders: z
      .array(z.string().min(1))
      .nullable()
      .default(defaultPlaceholders)
      .transform((placeholders) => placeholders ?? defaultPlaceholders)
      .describe(
        "Texts that stand for an image until an injector replaces them, such as Istio's `image: auto`: never rewritten. A list here replaces the default.",
      ),
    imageManagers: z
      .array(imageManager)
      .nullable()
      .default([])
      .transform((managers) => managers ?? [])
      .describe(
        `Operators that compare the images of their pods with the requested ones: their pods are left alone. Built in: ${shippedImageManagers.map(({ name }) => name).join(', ')}.`,
      ),
    warnings: z
      .enum(['problems', 'rewrites'])
      .default('problems')
      .describe('What a user sees as a warning when a pod is created: only images that could not be decided, or every rewrite too.'),
    tests: z
      .array(expectation)
      .nullable()
      .default([])
      .transform((tests) => tests ?? [])
      .describe(
        'Run by `transship lint` and whenever the file is loaded; a file whose tests fail is refused. They use the `host` of a registry if it has one, not its resolved host.',
      ),
  })
  .meta({ title: 'RewritePolicy', description: 'Policy file of transship.' }) satisfies z.ZodType<RewritePolicy>;
