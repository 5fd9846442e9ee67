/**
 * Reads the manifests given by `-f`: files, folders with everything below them, and standard input. An unreadable file is reported, and the
 * rest is still read.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../errors/operator-error.ts';
import { unreadableReason } from '../errors/system-error.ts';
import { tokens } from '../patch/pointer.ts';
import { imagePointer } from '../pod/images.ts';
import { isObject } from '../pod/json.ts';
import { podFields, readPod } from '../pod/pod.ts';
import type { Outcome } from '../policy/outcome.ts';
import { offsetAt } from '../manifests/nodes.ts';
import { parseManifests, plainValue, type ManifestDocument, type ManifestFile } from '../manifests/parse.ts';
import { fieldPath, unexaminedImages } from '../manifests/unexamined.ts';
import { workloadsOf, type Workload } from '../manifests/workloads.ts';
import { printable } from '../text/printable.ts';
import type { Io } from './command.ts';
import { explanation } from './failure.ts';
import { displayName, readText } from './input.ts';
import { writeLines } from './output.ts';

const manifestName = /\.(?:ya?ml|json)$/i;

/** Reports about the input on standard error, and the exit code that follows from them. */
export class ManifestReport {
  files = 0;
  unreadable = 0;
  readonly #command: string;
  readonly #io: Io;
  readonly #objects = new Set<string>();
  #unexamined = 0;
  #undecided = 0;

  constructor(command: string, io: Io) {
    this.#command = command;
    this.#io = io;
  }

  write(line: string): void {
    writeLines(this.#io.stderr, [printable(line)]);
  }

  fault(error: OperatorError): void {
    this.unreadable += 1;
    writeLines(this.#io.stderr, explanation(error, this.#command));
  }

  /** Counts images that the policy has no result for, which were invalid or refused. */
  decided(outcome: Outcome): void {
    if (outcome === 'invalid' || outcome === 'refused') this.#undecided += 1;
  }

  /** Reports the images of a document that were not examined. */
  unexamined(file: ManifestFile, document: ManifestDocument, value: unknown, examined: readonly { readonly pointer: string }[]): void {
    if (Array.isArray(value) && value.some(isObject)) this.#listOfObjects(file, document, value.length);
    for (const { object, pointer, image } of unexaminedImages(value, new Set(examined.map((each) => each.pointer)))) {
      this.#unexamined += 1;
      this.#objects.add(`${file.name} ${document.base} ${document.span.start} ${object}`);
      const path = tokens(pointer);
      this.write(
        `${placeAt(file, document, path)}: ${object}: ${fieldPath(path)} names ${image}, which was not examined: it is not the image of a container`,
      );
    }
  }

  #listOfObjects(file: ManifestFile, document: ManifestDocument, length: number): void {
    this.#unexamined += 1;
    this.#objects.add(`${file.name} ${document.base}`);
    this.write(
      `${placeAt(file, document, [])}: a list of ${length} objects was not examined; kubectl takes them one after another (jq '.[]') or in an object of kind List`,
    );
  }

  /** Whether a summary says something: after a file that could not be read, no images may only mean that it was not read. */
  foundOrRead(images: number): boolean {
    return images > 0 || this.unreadable === 0;
  }

  /**
   * Called last: reports how many images were not examined.
   *
   * @param strict null for a command without that flag
   */
  end(strict: boolean | null): number {
    if (this.#unexamined > 0) {
      const hint = strict === false ? '; with --strict the exit code is 1' : '';
      this.write(
        `${count(this.#unexamined, 'image')} in ${count(this.#objects.size, 'object')} ${this.#unexamined === 1 ? 'was' : 'were'} not examined${hint}`,
      );
    }
    if (this.unreadable > 0) return 2;
    return strict === true && this.#unexamined + this.#undecided > 0 ? 1 : 0;
  }
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `FILE:LINE:COLUMN` */
export function placeAt(file: ManifestFile, document: ManifestDocument, path: readonly string[]): string {
  const { line, col } = file.lines.linePos(document.base + offsetAt(document.document, path));
  return `${file.name}:${line}:${col}`;
}

/** The pods of manifests. A file that cannot be read as a whole is reported, and the next one is still read; so are images that no pod has. */
export async function* manifestWorkloads(paths: readonly string[], report: ManifestReport, io: Io): AsyncGenerator<Workload> {
  for await (const file of manifestFiles(paths, report, io))
    try {
      for (const document of file.documents) {
        const value = plainValue(file, document);
        const workloads = workloadsOf(value);
        report.unexamined(file, document, value, workloads.flatMap(imagePointers));
        yield* workloads;
      }
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      report.fault(error);
    }
}

function imagePointers({ pod, pointer }: Workload): { readonly pointer: string }[] {
  return readPod(pod, podFields([])).images.map((site) => ({ pointer: pointer + imagePointer(site) }));
}

/** In the order of their names. */
export async function* manifestFiles(paths: readonly string[], report: ManifestReport, io: Io): AsyncGenerator<ManifestFile> {
  for (const path of paths) {
    for (const name of await filesAt(path, report)) {
      try {
        const file = parseManifests(await readText(name, io), displayName(name));
        report.files += 1;
        yield file;
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
        report.fault(error);
      }
    }
  }
}

/** Expands a folder to its manifests and those of its subfolders, except names that start with a dot. */
async function filesAt(path: string, report: ManifestReport): Promise<string[]> {
  if (path === '-' || !(await isFolder(path))) return [path];
  const found = await below(path, report);
  if (found !== null && found.length === 0)
    report.fault(new OperatorError('FILE_UNREADABLE', `${path} has no file that ends in .yaml, .yml or .json`, 'name the files'));
  return found ?? [];
}

/** Null when it cannot be read. */
async function below(folder: string, report: ManifestReport): Promise<string[] | null> {
  const found: string[] = [];
  const inside = await entries(folder, report);
  if (inside === null) return null;
  for (const entry of inside) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...((await below(path, report)) ?? []));
    else if (manifestName.test(entry.name)) found.push(path);
  }
  return found;
}

async function entries(folder: string, report: ManifestReport): Promise<Dirent[] | null> {
  try {
    return (await readdir(folder, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    const problem = `${displayName(folder)} cannot be read: ${unreadableReason(error)}`;
    report.fault(new OperatorError('FILE_UNREADABLE', problem, undefined, { cause: error }));
    return null;
  }
}

/** A link to a folder is followed when given as an argument, not below: it may form a loop. A missing file is reported when it is read. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
