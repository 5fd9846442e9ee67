/** A policy as one mirror for each host: all that containerd can be told, and K3s in most cases. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { decideName, namesIn, type Winner } from './decisions.ts';
import { isUnderName, nameText, type Name } from './name.ts';
import { podSettings } from './pod-settings.ts';
import { replacementOf } from './replacement.ts';
import { comesFirst, ruleRefusals } from './refusals.ts';

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

interface Program {
  /** In refusals: `containerd`. */
  readonly program: string;
  /** Whether a host can have an entry of its own without a mirror, beside that of every other host. */
  readonly canBeKept: (host: string) => boolean;
}

export function hostMirrors(policy: CompiledPolicy, { program, canBeKept }: Program): HostMirrors {
  const decided = decideHosts(policy);
  const rest = decided.get(null);
  const unkept = [...decided].find(([host, { target }]) => host !== null && target === null && !canBeKept(host))?.[0];
  if (rest !== undefined && rest.target !== null && typeof unkept === 'string')
    decided.set(null, { ...rest, target: null, conflict: `${program} has no entry that keeps ${unkept} from it` });
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
      if (host === undefined || name.length <= 1) return host?.conflict ?? null;
      if (host.target !== null && isSame(replacementOf(winner, name), [...host.target, ...name.slice(1)])) return null;
      return `${program} has one mirror for a whole host, and this is a part of one`;
    },
  });
  const used = [...decided.values()].flatMap(({ winner, target }) => (winner === null || target === null ? [] : [{ winner, target }]));
  return { mirrors, refusals: [...refusals, ...podSettings(policy, used)] };
}

function decideHosts(policy: CompiledPolicy): Map<string | null, DecidedHost> {
  const names = namesIn(policy);
  const hosts = new Map(names.filter(({ length }) => length <= 1).map((name) => [name[0] ?? null, name]));
  return new Map([...hosts].map(([host, name]) => [host, decideHost(policy, names, name)]));
}

const nameOfRule = (winner: Winner | null): string | null => winner?.rule.policy.name ?? null;

function decideHost(policy: CompiledPolicy, names: readonly Name[], name: Name): DecidedHost {
  const { winner, obstacles } = decideName(policy, name);
  const none = { name, winner, target: null, conflict: null };
  const replacement = winner === null ? null : replacementOf(winner, name);
  if (replacement?.kind !== 'name') return none;
  const conflict = comesFirst(obstacles);
  if (conflict !== null) return { ...none, conflict };
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
