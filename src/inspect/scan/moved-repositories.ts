/** Repositories whose images get no updates any more, or are gone, as of 2026-11-26. */

export interface MovedRepository {
  /** Canonical name, or the beginning of it up to a slash. */
  readonly prefix: string;
  readonly sentence: string;
  /** Where it was announced. */
  readonly source: string;
}

export const movedRepositories: readonly MovedRepository[] = [
  {
    prefix: 'k8s.gcr.io',
    sentence: 'frozen since 2023-04-03, and redirected to registry.k8s.io',
    source: 'https://kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement/',
  },
  {
    prefix: 'docker.io/bitnami',
    sentence: 'versions were moved to docker.io/bitnamilegacy on 2025-08-28, and get no updates there',
    source: 'https://github.com/bitnami/charts/issues/35164',
  },
  {
    prefix: 'docker.io/bitnamilegacy',
    sentence: 'gets no updates since 2025-08-28',
    source: 'https://github.com/bitnami/charts/issues/35164',
  },
];

export function movedRepository(name: string): MovedRepository | null {
  return movedRepositories.find(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`)) ?? null;
}
