/** Options that several transforms share. */

export const registry = { type: 'registry' } as const;

export const optionalRegistry = { type: 'registry', optional: true } as const;

export const prefix = {
  type: 'repositoryPath',
  optional: true,
  description: 'Path put between the host of the registry and the rewritten name.',
} as const;

export const spelling = {
  type: 'choice',
  values: ['canonical', 'written'],
  default: 'canonical',
  description:
    '`canonical` expands short Docker Hub names (nginx becomes library/nginx), `written` keeps the name as it stands in the pod.',
} as const;
