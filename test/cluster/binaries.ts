/** Where the programs of the test cluster are, and the sentence to say when they are not there. */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { apiServerFor, buildOf, clusterPrograms, nodePrograms, type Program } from './tools.ts';

/** 1: etcd and kube-apiserver. 2: and kube-controller-manager. 3: and kube-scheduler, kwok and a fake node. */
export type Level = 1 | 2 | 3;

const levelPrograms: Record<Level, readonly Program[]> = {
  1: ['etcd', 'kube-apiserver', 'kubectl'],
  2: ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager'],
  3: ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'kube-scheduler', 'kwok'],
};

/** Holds builds and the logs of failed runs; git ignores the default. */
export function cacheFolder(): string {
  const chosen = process.env['TRANSSHIP_CLUSTER_CACHE'];
  return chosen ? resolve(chosen) : fileURLToPath(new URL('../../.cache/cluster', import.meta.url));
}

/** Where the program is once it is built; nothing else is in its folder. */
export const builtPath = (program: Program): string => join(cacheFolder(), `${program}-${buildOf(program).key}`, program);

/** The program in KUBEBUILDER_ASSETS, the folder that Kubernetes' envtest uses, when it is there. */
export function kubebuilderAsset(program: Program): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (!folder) return undefined;
  const file = resolve(folder, program);
  return existsSync(file) ? file : undefined;
}

/** Path of the program, or undefined when it is neither in KUBEBUILDER_ASSETS nor built. */
export function locate(program: Program): string | undefined {
  const asset = kubebuilderAsset(program);
  if (asset !== undefined) return asset;
  const built = builtPath(program);
  return existsSync(built) ? built : undefined;
}

/** Path of the program. Throws with the remedy when it is not there. */
export function binary(program: Program): string {
  const path = locate(program);
  if (path === undefined) throw new Error(missing([program]));
  return path;
}

const missing = (programs: readonly Program[]): string =>
  `the test cluster has no ${programs.join(', ')}: run "npm run cluster:build" (needs Go), or point KUBEBUILDER_ASSETS at a folder that has them`;

/**
 * False when everything is there, else the sentence for tap's `skip`. Says what is needed for all tests unless told the level, whether helm is used, and the
 * minor that the API server emulates.
 * With TRANSSHIP_REQUIRE_CLUSTER=1, as in CI, nothing may be skipped: it throws instead.
 */
export function skipReason({ level = 3, helm = true, minor }: { level?: Level; helm?: boolean; minor?: string } = {}): string | false {
  const programs = levelPrograms[level].map((program) => (program === 'kube-apiserver' ? apiServerFor(minor) : program));
  const needed: Program[] = helm ? [...programs, 'helm'] : programs;
  const absent = needed.filter((program) => locate(program) === undefined);
  if (absent.length === 0) return false;
  if (process.env['TRANSSHIP_REQUIRE_CLUSTER'] === '1') throw new Error(missing(absent));
  return missing(absent);
}

/** False when the program is there, else the sentence for tap's `skip`; throws like `skipReason` where nothing may be skipped. */
export function skipWithout(program: Program): string | false {
  if (locate(program) !== undefined) return false;
  if (process.env['TRANSSHIP_REQUIRE_CLUSTER'] === '1') throw new Error(missing([program]));
  return missing([program]);
}

/** A PATH on which the cluster's own kubectl and helm come first, for people and for scripts. */
export function pathWithBinaries(): string {
  const built = [...clusterPrograms, ...nodePrograms].map((program) => dirname(builtPath(program))).filter((folder) => existsSync(folder));
  return [process.env['KUBEBUILDER_ASSETS'], ...built, process.env['PATH']].filter(Boolean).join(delimiter);
}
