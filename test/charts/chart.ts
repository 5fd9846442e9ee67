/** Renders the chart with the real helm and reads what comes out, so tests look at objects and never at text. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { KubernetesObject } from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';

import { binary, skipReason } from '../cluster/binaries.ts';

export const chartFolder = fileURLToPath(new URL('../../charts/transship/', import.meta.url));
export const release = { name: 'transship', namespace: 'images' } as const;

/** The Service, and the MutatingWebhookConfiguration, of `tls.mode: secret`, which most tests use. */
export const secretService = `${release.name}-secret`;

export type Values = Readonly<Record<string, unknown>>;

/** HELM, when set, is the helm to render with: the same tests then show that an older one works too. */
const ownHelm = process.env['HELM'];
export const skipWithoutHelm: string | false = ownHelm === undefined && skipReason({ level: 1 });

export interface HelmOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function helm(args: readonly string[], values: Values = {}): Promise<HelmOutput> {
  return new Promise((resolve) => {
    const child = execFile(ownHelm ?? binary('helm'), [...args, '--values', '-'], { maxBuffer: 16 * 1024 * 1024 }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 1, stdout, stderr });
    });
    child.stdin?.end(JSON.stringify(values));
  });
}

/** The fields that most objects of the chart have, loose enough to look into any of them. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a template writes has no type: that is what the tests are for
export type Rendered = KubernetesObject & { readonly [field: string]: any };

export interface Render {
  readonly objects: readonly Rendered[];
  /** Templates that gave something, as `service.yaml`. */
  readonly templates: readonly string[];
  /** The object of that kind and name; without a name the webhook's own, or the only one. Throws when there is none. */
  one(kind: string, name?: string): Rendered;
}

export const template = (values: Values, more: readonly string[] = []): Promise<HelmOutput> =>
  helm(['template', release.name, chartFolder, '--namespace', release.namespace, '--kube-version', 'v1.36.0', ...more], values);

/** Throws, with what helm said, when the render stops. */
export async function render(values: Values = {}, more: readonly string[] = []): Promise<Render> {
  const { code, stdout, stderr } = await template(values, more);
  if (code !== 0) throw new Error(`helm template ended with ${code}: ${stderr}`);
  const objects = parseAllDocuments(stdout).flatMap((document): Rendered[] => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object: Rendered | null = document.toJS();
    return object === null ? [] : [object];
  });
  const templates = [...stdout.matchAll(/^# Source: transship\/templates\/(.+)$/gm)].map((match) => match[1] ?? '');
  const one = (kind: string, name?: string): Rendered => {
    const ofKind = objects.filter((object) => object.kind === kind);
    const found = ofKind.find(({ metadata }) => metadata?.name === (name ?? release.name)) ?? (name === undefined ? ofKind[0] : undefined);
    if (found === undefined)
      throw new Error(`no ${kind} ${name ?? ''} in ${objects.map((object) => `${object.kind} ${object.metadata?.name}`).join(', ')}`);
    return found;
  };
  return { objects, templates: [...new Set(templates)], one };
}

/** `ci/*-values.yaml`, by file name: those that helm's own chart-testing would install with. */
export const ciValues: ReadonlyMap<string, Values> = new Map(
  readdirSync(`${chartFolder}ci`).map((file): [string, Values] => [file, parse(readFileSync(`${chartFolder}ci/${file}`, 'utf8'))]),
);

/** Every template by its path below `templates`, those that only define names left out. */
export const templateFiles: readonly string[] = readdirSync(`${chartFolder}templates`, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.yaml'),
);
