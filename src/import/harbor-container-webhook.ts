/**
 * Rules of harbor-container-webhook: its own configuration, or the values of its chart.
 * https://github.com/indeedeng/harbor-container-webhook/blob/main/internal/config/config.go
 */
import * as z from 'zod';
import { secretName } from '../config/registry-schema.ts';
import type { PatternSource } from '../policy/types.ts';
import { parsePattern } from '../rules/pattern.ts';
import { pathTarget, readAddress } from './address.ts';
import { slug, type Draft, type DraftRule } from './draft.ts';
import { checked, fail, ImportError, readYaml, type Located, type SourceText } from './source.ts';

const configuration = z.looseObject({
  rules: z.array(
    z.looseObject({
      name: z.string().optional(),
      matches: z.array(z.string()).min(1),
      excludes: z.array(z.string()).nullish(),
      replace: z.string(),
      checkUpstream: z.boolean().nullish(),
      platforms: z.array(z.string()).nullish(),
      replaceImagePullSecrets: z.boolean().nullish(),
      authSecretName: z.string().nullish(),
    }),
  ),
});
type Configuration = z.output<typeof configuration>;

export function importHarborContainerWebhook([source]: readonly SourceText[]): Draft {
  const [document] = source === undefined ? [] : readYaml(source);
  if (source === undefined || document === undefined)
    throw new ImportError(
      source ?? { name: '', path: '', text: '' },
      { line: 1, column: 1 },
      'it is empty; harbor-container-webhook reads rules',
    );
  const located = checked(document, configuration);
  return {
    origin: 'rules of harbor-container-webhook',
    notes: [
      'Expressions there see the tag latest where none is written; here they see the image as written. Dots in names of hosts are escaped.',
    ],
    exclude: [],
    rules: located.value.rules.map((_, index) => ruleOf(located, index)),
  };
}

function ruleOf(located: Located<Configuration>, index: number): DraftRule {
  const rule = located.value.rules[index];
  if (rule === undefined) throw new TypeError(`no rule ${index}`);
  const path = ['rules', index];
  const address = readAddress(rule.replace);
  if (typeof address === 'string') return fail(located, [...path, 'replace'], address);
  const patterns = (key: 'matches' | 'excludes') => (rule[key] ?? []).map((text, entry) => patternOf(located, text, [...path, key, entry]));
  const secret = rule.authSecretName ?? '';
  const replaces = rule.replaceImagePullSecrets === true && secret !== '';
  if (replaces && !secretName.safeParse(secret).success)
    fail(located, [...path, 'authSecretName'], `${secret} is not the name of a Secret`);
  return {
    name: slug(rule.name ?? `rule-${index + 1}`),
    notes: [
      ...(rule.checkUpstream === true
        ? ['There, an image is rewritten only when the registry has it; here always. Check with transship images.']
        : []),
      ...(replaces ? [`There, ${secret} takes the place of the pod's pull secrets; here it is added to them.`] : []),
      ...(!replaces && secret !== '' ? [`${secret} is for the check of the webhook itself, and is not needed.`] : []),
    ],
    images: patterns('matches'),
    exclude: patterns('excludes'),
    target: pathTarget(address),
    pullSecrets: replaces ? [secret] : [],
  };
}

/** `^docker.io` and `^docker.io/library/` are names; another expression stays one, with the dots of hosts escaped. */
function patternOf(located: Located<unknown>, text: string, path: readonly (string | number)[]): PatternSource {
  const name = /^\^([a-z0-9-]+(?:\\?\.[a-z0-9-]+)+(?::\d+)?(?:\/[a-z0-9_-]+)*)(\/)?$/.exec(text);
  const plain = name?.[1]?.replaceAll('\\', '') ?? '';
  if (name !== null && (name[2] === '/' || !plain.includes('/')) && parsePattern(plain).ok) return plain;
  const regex = text.replaceAll(/(?<=[a-z0-9])\.(?=[a-z]{2,}(?![a-z]*[*+?{]))/g, String.raw`\.`);
  const parsed = parsePattern({ regex });
  return parsed.ok ? { regex } : fail(located, path, parsed.problem);
}
