/** Options that several transforms share. */

const registry = { type: 'registry' } as const;

const collisions = {
  type: 'choice',
  values: ['warn', 'accept'],
  default: 'warn',
  description:
    '`warn`: loading the policy warns, with an example, if two images that the rule matches may get the same name. `accept`: no warning.',
} as const;

export const optionalRegistry = { type: 'registry', optional: true } as const;

const prefix = {
  type: 'repositoryPath',
  optional: true,
  description: 'Path between the host of the registry and the rewritten name.',
} as const;

export const spelling = {
  type: 'choice',
  values: ['canonical', 'written'],
  default: 'canonical',
  description: '`canonical` expands short Docker Hub names (nginx becomes library/nginx), `written` keeps the name as written in the pod.',
} as const;

/** Options of every transform that writes below a registry. */
export const underRegistry = { registry, prefix, collisions } as const;

export const anywhere = { registry: optionalRegistry, collisions } as const;
