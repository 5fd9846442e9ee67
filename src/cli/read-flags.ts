/** From the words of the command line and the environment to the values of a command's flags. A flag wins over its variable. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { messageOf } from '../errors/message.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { nearest } from '../rules/nearest.ts';
import { Unfit, type FlagType } from './flag-types.ts';

export interface Flag {
  /** Null for a switch, which takes no value. */
  readonly type: FlagType<unknown> | null;
  /** What it is, for help and documents. */
  readonly text: string;
  readonly short?: string;
  /** As one would write it. */
  readonly default?: string;
  /** Set where the command cannot do without it: what to do when it is missing. */
  readonly required?: string;
  /** `twice`: its text says so. */
  readonly repeatable?: true | 'twice';
  /** It is also read from the environment: `--metrics-port` is `TRANSSHIP_METRICS_PORT`. */
  readonly variable?: true;
  /** Of several values the last one holds, since `extraArgs` of the chart come last; else two different values are wrong usage. */
  readonly lastHolds?: true;
}

export type Flags = Readonly<Record<string, Flag>>;
export type Environment = Readonly<Record<string, string | undefined>>;

type ValueOf<F extends Flag> =
  F['type'] extends FlagType<infer Value>
    ? F extends { readonly repeatable: true | 'twice' }
      ? readonly Value[]
      : F extends { readonly default: string } | { readonly required: string }
        ? Value
        : Value | null
    : boolean;

export interface Given<F extends Flags> {
  /** Null where a flag without a default was not given. */
  readonly values: { readonly [Name in keyof F]: ValueOf<F[Name]> };
  /** https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap12.html */
  readonly operands: readonly string[];
}

export function variableOf(name: string): string {
  return `TRANSSHIP_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** @throws OperatorError (USAGE) that names the flag or the variable */
export function readFlags<const F extends Flags>(flags: F, args: readonly string[], env: Environment): Given<F> {
  const { values: written, positionals: operands } = parse(flags, args);
  for (const [name, flag] of Object.entries(flags)) if (!flag.repeatable && !flag.lastHolds) oneValue(name, textsOf(written[name]));
  const values = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, valueOf(name, flag, written[name], env)]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value is what its flag's type read, with the same keys
  return { values: values as Given<F>['values'], operands };
}

type Written = string | boolean | (string | boolean)[] | undefined;

const textsOf = (written: Written): string[] => (Array.isArray(written) ? written.map(String) : []);

function parse(
  flags: Flags,
  args: readonly string[],
): { readonly values: Readonly<Record<string, Written>>; readonly positionals: string[] } {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { type, short }] of Object.entries(flags))
    options[name] = {
      type: type === null ? 'boolean' : 'string',
      multiple: type !== null,
      ...(short === undefined ? {} : { short }),
    };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw parseError(error, Object.keys(flags));
  }
}

/** Node's messages in the words of the others. https://nodejs.org/api/util.html#utilparseargsconfig */
function parseError(cause: unknown, known: readonly string[]): OperatorError {
  const message = messageOf(cause);
  const unknown = /^Unknown option '(-{1,2}([^']*))'/.exec(message);
  if (unknown !== null) {
    const [, flag = '', name = ''] = unknown;
    const near = nearest(name, known);
    const remedy = near === null ? `flags are ${known.map((word) => `--${word}`).join(', ')}` : `did you mean --${near}?`;
    return new OperatorError('USAGE', `unknown flag ${flag}`, remedy, { cause });
  }
  const named = /^Option '(?:-\w, )?(--[\w-]+)[^']*' (argument missing|argument is ambiguous|does not take an argument)/.exec(message);
  const [, flag = '', problem = ''] = named ?? [];
  if (problem === 'argument missing') return new OperatorError('USAGE', `${flag} has no value`, `write ${flag}=VALUE`, { cause });
  if (problem === 'argument is ambiguous')
    return new OperatorError('USAGE', `${flag} has no value`, `a value that begins with - is written ${flag}=VALUE`, { cause });
  if (problem !== '') return new OperatorError('USAGE', `${flag} takes no value`, `write ${flag} alone`, { cause });
  return new OperatorError('USAGE', message, undefined, { cause });
}

function valueOf(name: string, flag: Flag, written: Written, env: Environment): unknown {
  const { type } = flag;
  if (type === null) return written === true;
  const texts = textsOf(written);
  if (flag.repeatable) return texts.map((text) => read(`--${name}`, type, text));
  const text = texts.at(-1);
  if (text !== undefined && isGiven(type, text)) return read(`--${name}`, type, text);
  const variable = variableOf(name);
  const fromEnvironment = flag.variable ? env[variable] : undefined;
  if (text === undefined && fromEnvironment !== undefined && isGiven(type, fromEnvironment) && !isServiceLink(fromEnvironment))
    return read(variable, type, fromEnvironment);
  if (flag.required !== undefined) throw new OperatorError('USAGE', `--${name} ${type.argument} is missing`, flag.required);
  return flag.default === undefined ? null : type.read(flag.default);
}

/** Of two values, one would be left out without a word: a policy that is not checked, or a namespace that is not read. */
function oneValue(name: string, texts: readonly string[]): void {
  const [text, other] = new Set(texts);
  if (other === undefined) return;
  throw new OperatorError('USAGE', `--${name} has two values, ${JSON.stringify(text)} and ${JSON.stringify(other)}`, 'it takes one');
}

/** A type that reads the empty text as a value of its own has a use for it, such as an empty list. */
function isGiven(type: FlagType<unknown>, text: string): boolean {
  return text !== '' || type.read('') !== '';
}

/**
 * Kubernetes sets `TRANSSHIP_PORT=tcp://…` in pods of a namespace with a Service called transship.
 * https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
function isServiceLink(text: string): boolean {
  return /^(?:tcp|udp|sctp):\/\//.test(text);
}

function read(name: string, type: FlagType<unknown>, text: string): unknown {
  const value = type.read(text);
  if (!(value instanceof Unfit)) return value;
  throw new OperatorError('USAGE', `${name} takes ${type.expects}, not ${JSON.stringify(value.text)}`, value.remedy ?? '');
}
