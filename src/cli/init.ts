/** `transship init`: a policy to begin with. */
import { OperatorError } from '../errors/operator-error.ts';
import { isOfRelease, listPods } from '../inspect/pods.ts';
import { podFields, readPod } from '../pod/pod.ts';
import { policyText, presetProblem } from '../presets/policy-text.ts';
import type { Preset, Values } from '../presets/preset.ts';
import { examplePresets, presets } from '../presets/presets.ts';
import { nearest } from '../rules/nearest.ts';
import { printableLines, printed } from '../text/printable.ts';
import { inCluster } from './cluster.ts';
import { command, type Io } from './command.ts';
import { initFlags } from './flags.ts';
import { lineGroups } from './input.ts';
import { ManifestReport, manifestWorkloads } from './manifest-input.ts';
import { write } from './output.ts';
import { programFile } from './program-files.ts';
import type { Given } from './read-flags.ts';
import { table } from './table.ts';

const exampleNames = Object.keys(examplePresets);
const rows = [
  ...presets.map(({ name, summary, variables }) => [
    name,
    summary,
    Object.keys(variables)
      .map((key) => `${key}=…`)
      .join(' '),
  ]),
  ...Object.entries(examplePresets).map(([name, path]) => [name, `the example ${path}`, '']),
];

export const initCommand = command({
  name: 'init',
  summary: 'a policy to begin with, for a registry or a system that you have',
  usage: `transship init --preset NAME [--set KEY=VALUE]… [IMAGE…]
transship init --preset NAME [--set KEY=VALUE]… -f FILE…   tests for the images of manifests
transship init --preset NAME [--set KEY=VALUE]… -A         tests for the images of a cluster
transship init --list

Prints a policy file with comments, and with tests of what it makes of the images that are given. What is not set stands in it as a placeholder, and is named at
its top.

  transship init --preset harbor --set host=harbor.example.com > policy.yaml
  transship init --preset air-gap nginx:1.27 quay.io/prometheus/prometheus:v2`,
  flags: initFlags,
  notes: 'Exit codes: 0 done; 2 wrong usage, or something cannot be read.',
  run: async (given, io) => {
    const { values, operands } = given;
    if (values.list) {
      await write(io.stdout, table([['PRESET', 'FOR', 'SET'], ...rows]));
      await write(io.stdout, printed`\n`);
      return 0;
    }
    const name = values.preset ?? '';
    if (Object.hasOwn(examplePresets, name)) {
      if (values.set.length > 0 || operands.length > 0 || values.file.length > 0 || values['all-namespaces'])
        throw new OperatorError('USAGE', `preset ${name} is an example with tests of its own`, 'print it alone, and change it');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of its keys
      await write(io.stdout, printableLines(programFile(examplePresets[name as keyof typeof examplePresets])));
      return 0;
    }
    const preset = presets.find((candidate) => candidate.name === name);
    if (preset === undefined) throw unknownPreset(name);
    const parts = valuesOf(preset, values.set);
    const { images, exitCode } = await imagesOf(given, io);
    await write(io.stdout, printableLines(policyText(preset, parts, images)));
    return exitCode;
  },
});

function unknownPreset(name: string): OperatorError {
  const near = nearest(name, [...presets.map((preset) => preset.name), ...exampleNames]);
  const remedy = near === null ? 'transship init --list shows them' : `did you mean ${near}? transship init --list shows all`;
  return new OperatorError('USAGE', name === '' ? 'no preset is named' : `there is no preset ${name}`, remedy);
}

/** As hosts, paths and names of registries are written: nothing of it can end a line or a value. */
const fit = /^[A-Za-z0-9](?:[A-Za-z0-9._:/-]*[A-Za-z0-9])?$/;

function valuesOf(preset: Preset, set: readonly (readonly [key: string, value: string])[]): Values {
  const { name, variables } = preset;
  const known = Object.keys(variables);
  for (const [key, value] of set) {
    if (!known.includes(key))
      throw new OperatorError(
        'USAGE',
        `preset ${name} has no ${key}`,
        known.length === 0 ? 'it takes no --set' : `it has ${known.join(', ')}`,
      );
    if (!fit.test(value))
      throw new OperatorError(
        'USAGE',
        `--set ${key}: ${JSON.stringify(value)} is not part of a registry's name`,
        `write it like ${variables[key]?.placeholder}`,
      );
  }
  const placeholders = Object.entries(variables).map(([key, { placeholder }]) => [key, placeholder] as const);
  const values = Object.fromEntries([...placeholders, ...set]);
  const problem = presetProblem(preset, values);
  if (problem === null) return values;
  const written = set.map(([key, value]) => `--set ${key}=${value}`).join(' ');
  const example = placeholders.map(([key, placeholder]) => `${key}=${placeholder}`).join(' and ');
  throw new OperatorError('USAGE', `${written}: ${problem}`, `write it like ${example}`);
}

interface Found {
  readonly images: readonly string[];
  readonly exitCode: number;
}

async function imagesOf({ values, operands }: Given<typeof initFlags>, io: Io): Promise<Found> {
  const images = new Set<string>();
  const addPod = (pod: unknown): void => {
    for (const { image } of readPod(pod, podFields([])).images) images.add(image);
  };
  if (values['all-namespaces'])
    await inCluster(values, async (view) => {
      for await (const pods of listPods(view, null)) for (const pod of pods) if (!isOfRelease(pod)) addPod(pod);
    });
  const report = new ManifestReport('init', io);
  for await (const { pod } of manifestWorkloads(values.file, report, io)) addPod(pod);
  for (const image of operands) {
    if (image !== '-') images.add(image);
    else for await (const lines of lineGroups(io.stdin)) for (const line of lines) images.add(line.trim());
  }
  return { images: [...images], exitCode: report.end(null) };
}
