/** A policy as one mirror for each host: all that containerd can express, and K3s in most cases. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { decideName, namesIn, type Winner } from './decisions.ts';
import { isUnderName, nameText, type Name } from './name.ts';
import { podSettings, type Used } from './pod-settings.ts';
import { replacementOf, type Replacement } from './replacement.ts';
import { comesFirst, ruleRefusals } from './refusals.ts';

export interface HostMirror {
  /** Null for every host without an entry of its own. */
  readonly host: string | null;
  /** Host and path that the path of the image follows; null where images come from the host itself. */
  readonly target: Name | null;
  /** Null where images come from the host itself. */
  readonly rule: string | null;
  /** Names below the host that go to another path of the same registry; a name comes after those above it. */
  readonly parts: readonly MirrorPart[];
}

export interface MirrorPart {
  readonly name: Name;
  readonly target: Name;
  readonly rule: string;
}

export interface HostMirrors {
  readonly mirrors: readonly HostMirror[];
  readonly refusals: readonly PolicyProblem[];
}

interface DecidedHost {
  readonly name: Name;
  readonly winner: Winner | null;
  readonly target: Name | null;
  readonly parts: readonly MirrorPart[];
  /** Why it has no mirror though a rule rewrites its images. */
  readonly conflict: string | null;
}

interface Program {
  /** In refusals: `containerd`. */
  readonly program: string;
  /** Whether a host can have an entry of its own without a mirror, beside that of every other host. */
  readonly canBeKept: (host: string) => boolean;
  /** Whether a mirror can have other paths for parts of a host. */
  readonly hasParts: boolean;
}

export function hostMirrors(policy: CompiledPolicy, { program, canBeKept, hasParts }: Program): HostMirrors {
  const decided = decideHosts(policy, hasParts);
  const rest = decided.get(null);
  const unkept = [...decided].find(([host, { target }]) => host !== null && target === null && !canBeKept(host))?.[0];
  if (rest !== undefined && rest.target !== null && typeof unkept === 'string')
    decided.set(null, { ...rest, target: null, conflict: `${program} has no entry that keeps ${unkept} from it` });
  const everyOther = decided.get(null)?.target ?? null;
  const mirrors = [...decided].flatMap(([host, { target, winner, parts }]) =>
    // A host without a mirror needs an entry only where it would get that of all others.
    target === null && (host === null || everyOther === null)
      ? []
      : [{ host, target, rule: target === null ? null : nameOfRule(winner), parts }],
  );
  const refusals = ruleRefusals(policy, {
    program,
    knows: 'it has one mirror for a whole host',
    problemAt: (name, winner) => {
      const host = decided.get(name[0] ?? null);
      if (host === undefined || name.length <= 1) return host?.conflict ?? null;
      if (host.target !== null && isSame(replacementOf(policy, winner, name), targetIn(host, host.target, name))) return null;
      return `${program} has one ${hasParts ? 'registry' : 'mirror'} for a whole host, and this is a part of one`;
    },
  });
  const used = [...decided.values()].flatMap(({ winner, target }) => (winner === null || target === null ? [] : [{ winner, target }]));
  return { mirrors, refusals: [...refusals, ...podSettings(policy, [...used, ...usedParts(policy, decided.values())])] };
}

function usedParts(policy: CompiledPolicy, decided: Iterable<DecidedHost>): Used[] {
  return [...decided].flatMap(({ parts }) =>
    parts.flatMap(({ name, target }) => {
      const { winner } = decideName(policy, name);
      return winner === null ? [] : [{ winner, target }];
    }),
  );
}

function decideHosts(policy: CompiledPolicy, hasParts: boolean): Map<string | null, DecidedHost> {
  const names = namesIn(policy);
  const hosts = new Map(names.filter(({ length }) => length <= 1).map((name) => [name[0] ?? null, name]));
  return new Map([...hosts].map(([host, name]) => [host, decideHost(policy, name, host === null ? [] : partsOf(names, name), hasParts)]));
}

const partsOf = (names: readonly Name[], host: Name): Name[] => names.filter((name) => name.length > 1 && isUnderName(name, host));

const nameOfRule = (winner: Winner | null): string | null => winner?.rule.policy.name ?? null;

function decideHost(policy: CompiledPolicy, name: Name, inner: readonly Name[], hasParts: boolean): DecidedHost {
  const { winner, obstacles } = decideName(policy, name);
  const none: DecidedHost = { name, winner, target: null, parts: [], conflict: null };
  const replacement = winner === null ? null : replacementOf(policy, winner, name);
  if (replacement?.kind !== 'name') return none;
  const conflict = comesFirst(obstacles);
  if (conflict !== null) return { ...none, conflict };
  const target = replacement.name;
  const parts: MirrorPart[] = [];
  for (const other of inner) {
    const part = partOf(policy, other);
    if (part !== null && nameText(part.target) === nameText(targetIn({ parts }, target, other))) continue;
    if (part === null || !hasParts || part.target[0] !== target[0])
      return { ...none, conflict: `images of ${nameText(other)} are decided otherwise` };
    parts.push(part);
  }
  return { ...none, target, parts };
}

/** Null where some of the images are decided otherwise, or are left alone. */
function partOf(policy: CompiledPolicy, name: Name): MirrorPart | null {
  const { winner, obstacles } = decideName(policy, name);
  const replacement = winner === null || obstacles.length > 0 ? null : replacementOf(policy, winner, name);
  return winner === null || replacement?.kind !== 'name' ? null : { name, target: replacement.name, rule: winner.rule.policy.name };
}

/** Where the mirror has the images under the name. */
function targetIn({ parts }: Pick<DecidedHost, 'parts'>, target: Name, name: Name): Name {
  const part = parts.findLast((each) => isUnderName(name, each.name));
  return part === undefined ? [...target, ...name.slice(1)] : [...part.target, ...name.slice(part.name.length)];
}

function isSame(replacement: Replacement, target: Name): boolean {
  return replacement.kind === 'name' && nameText(replacement.name) === nameText(target);
}
