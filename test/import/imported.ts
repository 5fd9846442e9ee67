/** What an import makes of texts, and what the policy makes of images. */
import { importFormats } from '../../src/cli/import-formats.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { policyText } from '../../src/import/policy-text.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';

export interface Imported {
  readonly text: string;
  readonly policy: CompiledPolicy;
}

/** @param texts by the path of each file */
export function imported(format: string, texts: Readonly<Record<string, string>>): Imported {
  const sources = Object.entries(texts).map(([path, text]) => ({ name: path, path, text }));
  const read = importFormats[format]?.read;
  if (read === undefined) throw new Error(`no format ${format}`);
  const text = policyText(read(sources));
  const { compiled, findings } = loadPolicy(text, 'policy.yaml');
  if (compiled === null) throw new Error(`${JSON.stringify(findings)}\n${text}`);
  return { text, policy: compiled };
}

/** The image of a pod afterwards, then those of the alternatives. */
export function imagesOf({ policy }: Imported, image: string, namespace = 'default'): string[] {
  const { result, alternatives } = decideImage(policy.table, image, { namespace, podLabels: {} });
  return [result ?? image, ...alternatives.flatMap((each) => each.image ?? [])];
}

export const comments = ({ text }: Imported): string =>
  text
    .split('\n')
    .filter((line) => /^\s*#/.test(line))
    .join('\n');
