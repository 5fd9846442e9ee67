/**
 * The code by which runtimes read exported files, asked where it pulls images from: programs of test/cluster/tools. containerd and
 * containers/image are those of the runtimes. Of K3s it is the package that reads registries.yaml, and by which K3s pulls its own images;
 * what makes hosts.toml files of it for those of pods is in no module.
 */
import { spawnSync } from 'node:child_process';
import type { ExportedFile } from '../../src/export/exported.ts';
import type { Reference } from '../../src/image/reference.ts';
import { binary } from '../cluster/binaries.ts';
import type { Program } from '../cluster/tools.ts';

export interface Question {
  readonly files: readonly ExportedFile[];
  readonly images: readonly string[];
}

export interface Place {
  /** Canonical, with the digest, else with the tag. */
  readonly name: string;
  /** Asked without TLS, or without verifying it. */
  readonly insecure: boolean;
}

/** Where an image is looked for, in this order, each place once; or why it is not. */
export type Pull = { readonly places: readonly Place[] } | { readonly error: string };

export interface Answer {
  readonly pulls: readonly Pull[];
  /** The file as the program prints it; empty for containerd, which has nothing that prints one. */
  readonly printed: string;
  /** Why the file is refused. */
  readonly error: string;
}

export interface Reader {
  readonly program: Program;
  readonly ask: (questions: readonly Question[]) => Answer[];
}

export const containerdReader = reader('containerd-requests', (question) => question);
export const k3sReader = reader('k3s-requests', oneFile);
export const crioReader = reader('pull-sources', oneFile);

/** The name that a registry is asked by: a digest wins over a tag, and the addresses of one registry are one. */
export function pulledName({ host, path, tag, digest }: Reference): string {
  const name = `${registryOf(host)}/${path}`;
  return digest === null ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
}

interface PrintedPull {
  /** Of a program that sends requests. */
  readonly requests?: readonly string[];
  /** Of a program that has references. */
  readonly sources?: readonly { readonly reference: string; readonly insecure: boolean }[];
  readonly error?: string;
}

function oneFile({ files, images }: Question): object {
  return { file: files[0]?.text ?? '', images };
}

function reader(program: Program, asked: (question: Question) => object): Reader {
  const ask = (questions: readonly Question[]): Answer[] => {
    const input = questions.map((question) => JSON.stringify(asked(question))).join('\n');
    const { stdout, stderr, status } = spawnSync(binary(program), { input, encoding: 'utf8', maxBuffer: 256 << 20 });
    if (status !== 0) throw new Error(stderr);
    const lines = stdout.trim().split('\n');
    return lines.map((line) => {
      const { pulls = [], printed = '', error = '' } = JSON.parse(line) as { pulls?: PrintedPull[]; printed?: string; error?: string };
      return { pulls: pulls.map(pullOf), printed, error };
    });
  };
  return { program, ask };
}

function pullOf({ requests = [], sources = [], error }: PrintedPull): Pull {
  if (error !== undefined) return { error };
  const places = [...requests.map(requestedPlace), ...sources.map(({ reference, insecure }) => ({ name: nameOf(reference), insecure }))];
  return { places: [...new Map(places.map((place) => [place.name, place])).values()] };
}

const manifest = /^(https?):\/\/([^/]+)\/v2\/(.+)\/manifests\/(.+)$/;

function requestedPlace(request: string): Place {
  const [, scheme, address = '', path = '', version = ''] = manifest.exec(request) ?? [];
  const name = `${registryOf(address)}/${path}`;
  return { name: `${name}${version.includes(':') ? '@' : ':'}${version}`, insecure: scheme === 'http' };
}

/** As the program writes it, without a tag beside a digest. */
const nameOf = (reference: string): string => reference.replace(/:[\w.-]+@/, '@').replace(/^[^/]+/, registryOf);

/** containerd asks Docker Hub by the first of these, and the library that wharfie uses by the second. */
const dockerHubAddresses = new Set(['registry-1.docker.io', 'index.docker.io']);

function registryOf(address: string): string {
  const host = address.replace(/:443$/, '');
  return dockerHubAddresses.has(host) ? 'docker.io' : host;
}
