/** The schema of a registry in the policy file: where nodes pull from, and where its credentials come from. */
import * as z from 'zod';
import { complain, copyAnnotations, copyLabels, labelSelector } from './label-schema.ts';
import { isDnsLabel, maxSubdomain, subdomainExpression } from './kubernetes-names.ts';
import { namespaceGlobExpression, namespaceProblem } from './name-problems.ts';

const ofSecret = 'the name of a Secret is a lower-case DNS subdomain of at most 253 characters';

export const secretName = z
  .string()
  .max(maxSubdomain, ofSecret)
  .regex(subdomainExpression, ofSecret)
  .describe('Name of a Secret of type kubernetes.io/dockerconfigjson, in the namespace of the pod.');

export const repositoryPath = z
  .string()
  .regex(
    /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
    'it must be a repository path such as proxy/my-app, in lower case and with no slash at an end',
  );

export const registryName = z.string().min(1).describe('Name of an entry of `registries`.');

export const namespaceGlob = z
  .string()
  .superRefine((text, context) => complain(namespaceProblem(text), context))
  // For editors and Helm, which read the schema but not the check.
  .meta({ pattern: namespaceGlobExpression.source })
  .describe('Name of a namespace, `*` matches any characters.');

/** @param kind of the object that it is the name of */
// oxlint-disable-next-line typescript/explicit-function-return-type -- inferred by zod
function dnsLabel(kind: string) {
  return z
    .string()
    .min(1)
    .refine((text) => isDnsLabel(text), `the name of a ${kind} has lower-case letters, digits and -, at most 63 characters`);
}

const servicePort = z.union([z.string().min(1), z.int().min(1).max(65535)], { error: 'a port of the Service, by name or number' });

const hostFrom = z
  .union(
    [
      z.strictObject({
        service: z
          .strictObject({
            namespace: dnsLabel('namespace').describe('Namespace of the Service.'),
            name: dnsLabel('Service').describe('Name of the Service, of type NodePort.'),
            port: servicePort.describe('Port of the Service, by name or number.'),
            via: z
              .enum(['localhost', 'nodeIP'])
              .default('localhost')
              .describe('How nodes reach the node port: on `localhost`, or on the address of a node.'),
          })
          .describe('The node port of a Service.'),
      }),
      z.strictObject({ localRegistryHosting: z.literal(true).describe('The ConfigMap local-registry-hosting in kube-public (KEP-1755).') }),
    ],
    { error: 'hostFrom is { service: { namespace, name, port } } or { localRegistryHosting: true }' },
  )
  .describe(
    'Where the controller reads the host from. Until it is resolved, `host` is used; without one, rules that write to this registry first are not active, even where they have `alternatives`.',
  );

const credentials = z
  .union(
    [
      z.strictObject({
        secret: secretName.describe('Name of a Secret of type kubernetes.io/dockerconfigjson in the namespace of transship.'),
      }),
      z.strictObject({
        provider: z.literal('ecr').describe('Amazon ECR: a token every 12 hours, from the identity of the controller.'),
        region: z
          .string()
          .regex(/^[a-z0-9-]+$/)
          .describe('AWS region of the registry.'),
        registryIds: z
          .array(z.string().regex(/^\d{12}$/, 'an AWS account ID has 12 digits'))
          .optional()
          .describe('Accounts whose registries the token is for; default: that of the identity.'),
      }),
      z.strictObject({
        provider: z.literal('gar').describe('Google Artifact Registry: a token every hour, from the identity of the controller.'),
      }),
      z.strictObject({
        provider: z.literal('acr').describe('Azure Container Registry: a token every 3 hours, from the identity of the controller.'),
        tenantId: z.string().optional().describe('Tenant of the registry; that of the identity when absent.'),
      }),
    ],
    { error: 'credentials is { secret: NAME }, { provider: ecr, region: … }, { provider: gar } or { provider: acr }' },
  )
  .describe('Source of the content of the pull secrets. Without it, create the Secrets yourself.');

export const registry = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .optional()
      .describe('What nodes pull from: a host with its port, optionally followed by a path (harbor.example.com/mirror).'),
    hostFrom: hostFrom.optional(),
    pullSecrets: z
      .array(secretName)
      .default([])
      .describe('Secrets that pods need for this registry. A pod gets them when one of its images is in it.'),
    probe: z
      .boolean()
      .default(false)
      .describe(
        'For targets of rules with `alternatives`: while nodes do not reach the registry, the controller itself asks `https://HOST/v2/`, and new pods try it again only once it answers. The controller must trust its certificate. For the feature `fallback`.',
      ),
    credentials: credentials.optional(),
    namespaces: z
      .array(namespaceGlob)
      .min(1, 'leave namespaces out for every namespace that is opted in')
      .optional()
      .describe('Namespaces that the controller copies the pull secrets to: names with `*`. Default: every namespace that is opted in.'),
    namespaceSelector: labelSelector("an empty selector would be every namespace; write namespaces: ['*'] for that")
      .optional()
      .describe('Namespaces that the controller copies the pull secrets to, by their labels. With `namespaces`, those that match either.'),
    copyLabels: copyLabels.optional().describe('Labels of the copies, in addition to those of the controller.'),
    copyAnnotations: copyAnnotations
      .optional()
      .describe('Annotations of the copies, such as `argocd.argoproj.io/sync-options: Prune=false`.'),
    verify: z
      .boolean()
      .default(false)
      .describe(
        'Whether the controller asks the registry if it has the images that pods need. Needs the feature `verify`. It only tells: no pod waits for it.',
      ),
  })
  .refine((value) => value.host !== undefined || value.hostFrom !== undefined, { error: 'a registry needs host or hostFrom' })
  .refine((value) => value.credentials === undefined || value.pullSecrets.length > 0, {
    error: 'credentials need a Secret to be copied to; name at least one in pullSecrets',
    path: ['credentials'],
  })
  .superRefine((value, context) => {
    if (value.credentials !== undefined) return;
    for (const setting of ['namespaces', 'namespaceSelector', 'copyLabels', 'copyAnnotations'] as const) {
      if (value[setting] === undefined) continue;
      const message = `${setting} applies to the copies of pull secrets; it needs credentials`;
      context.addIssue({ code: 'custom', message, path: [setting] });
    }
  });
