/** A policy as one mirror for each host: all that containerd can be told. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { decideName, namesIn, type Winner } from './decisions.ts';
import { isUnderName, nameText, type Name } from './name.ts';
import { podSettings } from './pod-settings.ts';
import { replacementOf } from './replacement.ts';
import { ruleRefusals } from './refusals.ts';

export interface HostMirror {
  /** Null for every host without an entry of its own. */
  readonly host: string | null;
  /** Host and path that the path of the image follows; null where images come from the host itself. */
  readonly target: Name | null;
  /** Null where images come from the host itself. */
  readonly rule: string | null;
}

export interface HostMirrors {
  readonly mirrors: readonly HostMirror[];
  readonly refusals: readonly PolicyProblem[];
}

interface DecidedHost {
  readonly name: Name;
  readonly winner: Winner | null;
  readonly target: Name | null;
  /** Why it has no mirror though a rule rewrites its images. */
  readonly conflict: string | null;
}

/** @param program in refusals: `containerd` */
export function hostMirrors(policy: CompiledPolicy, program: string): HostMirrors {
  const names = namesIn(policy);
  const hosts = new Map(names.map((name) => [name[0] ?? null, name.slice(0, 1)]));
  const decided = new Map([...hosts].map(([host, name]) => [host, decideHost(policy, names, name)]));
  const everyOther = decided.get(null)?.target ?? null;
  const mirrors = [...decided].flatMap(([host, { target, winner }]) =>
    // A host without a mirror needs an entry only where it would get that of all others.
    target === null && (host === null || everyOther === null) ? [] : [{ host, target, rule: target === null ? null : nameOfRule(winner) }],
  );
  const refusals = ruleRefusals(policy, {
    program,
    knows: 'it has one mirror for a whole host',
    problemAt: (name, winner) => {
      const host = decided.get(name[0] ?? null);
      if (name.length === 0) return host?.conflict ?? hostConflict(decided.values(), winner);
      if (host === undefined || name.length === 1) return host?.conflict ?? null;
      if (host.target !== null && isSame(replacementOf(winner, name), [...host.target, ...name.slice(1)])) return null;
      return `${program} has one mirror for a whole host, and this is a part of one`;
    },
  });
  const used = [...decided.values()].flatMap(({ winner, target }) => (winner === null || target === null ? [] : [{ winner, target }]));
  return { mirrors, refusals: [...refusals, ...podSettings(policy, used)] };
}

/** Of a host that the same pattern of every host decides. */
function hostConflict(decided: Iterable<DecidedHost>, { path }: Winner): string | null {
  for (const { name, winner, conflict } of decided)
    if (conflict !== null && winner?.path.join('/') === path.join('/')) return `${nameText(name)}: ${conflict}`;
  return null;
}

const nameOfRule = (winner: Winner | null): string | null => winner?.rule.policy.name ?? null;

function decideHost(policy: CompiledPolicy, names: readonly Name[], name: Name): DecidedHost {
  const { winner, obstacles } = decideName(policy, name);
  const none = { name, winner, target: null, conflict: null };
  const replacement = winner === null ? null : replacementOf(winner, name);
  if (replacement?.kind !== 'name') return none;
  const before = obstacles[0];
  if (before !== undefined) return { ...none, conflict: `${before} comes first for some of its images` };
  const target = replacement.name;
  const inner = name.length === 0 ? [] : names.filter((other) => other.length > 1 && isUnderName(other, name));
  const different = inner.find((other) => !isDecidedAs(policy, other, [...target, ...other.slice(1)]));
  if (different !== undefined) return { ...none, conflict: `images of ${nameText(different)} are decided otherwise` };
  return { ...none, target };
}

function isDecidedAs(policy: CompiledPolicy, name: Name, target: Name): boolean {
  const { winner, obstacles } = decideName(policy, name);
  return winner !== null && obstacles.length === 0 && isSame(replacementOf(winner, name), target);
}

function isSame(replacement: ReturnType<typeof replacementOf>, target: Name): boolean {
  return replacement.kind === 'name' && replacement.name.join('/') === target.join('/');
}
