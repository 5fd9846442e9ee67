/** The pull secrets that a pod needs and lacks, as variables in CEL: by where images finally are, and by rule. */
import { hasTargets, secretsOfTargets } from './alternatives.ts';
import { lines, strings } from './cel.ts';
import { isLeft, type Variable } from './entries.ts';
import { attaches, hasLeft, hasSecrets, type Table, type TableRule } from './table.ts';
import { isExpressed } from './transforms.ts';

function secretsAt({ secrets }: Table, key: string): string {
  return secrets.length === 0 ? '[]' : `variables.registrySecrets.filter(r, ${key}.startsWith(r[0])).map(r, r[1])`;
}

const ofEntry = (member: string, entry: string): string => `${entry}.?${member}.orValue("").split(",").filter(n, n != "")`;

/** Of a rule that only attaches secrets. @param entries those that match an image, in CEL */
function attachedBy(entries: string): string {
  return `(${entries}.size() > 0 && ${entries}[0].as == "secrets" ? ${ofEntry('secrets', `${entries}[0]`)} : [])`;
}

const again = attachedBy('variables.again[i]');

export function secretTables(table: Table): Variable[] {
  if (!hasSecrets(table)) return [];
  const { rules, secrets } = table;
  const registries = {
    name: 'registrySecrets',
    comment: 'The pull secrets of images, by where they are in the end.',
    expression: lines('[', secrets.map(strings), ']'),
  };
  const ofResult = [secretsAt(table, 'm.key'), ...(attaches(table) ? [again] : [])].join('\n  + ');
  return [
    ...(secrets.length === 0 ? [] : [registries]),
    { name: 'present', expression: 'object.spec.?imagePullSecrets.orValue([]).map(s, string(s.?name.orValue("")))' },
    ...(rules.some(({ policy }) => policy.onMissingSecret === 'keep')
      ? [{ name: 'secretsOfResults', expression: `variables.resultParts.transformMap(i, m,\n  ${ofResult})` }]
      : []),
  ];
}

export function missingVariable(table: Table): Variable[] {
  if (!hasSecrets(table)) return [];
  const isAttaching = attaches(table);
  const rewritten = secretsOfRewritten(table);
  const stays = [secretsAt(table, 'variables.parts[i].key'), ...(isAttaching ? [attachedBy('variables.matched[i]')] : [])];
  const ofLeft = hasLeft(table) ? `\n  : ${isLeft('i')} ? []` : '';
  return [
    {
      name: 'missing',
      comment: 'Pull secrets that the pod lacks. They cannot be added to an existing one.',
      // Most images of a pod need the same ones: what differs from the image before is few, and `distinct` costs the square of it.
      expression: `variables.change != "create" ? [] : ${rewritten.isSame ? `variables.becomes.size() > 0 && variables.becomes.size() == variables.parts.size()\n? ${rewritten.text}.filter(n, !(n in variables.present))\n: ` : ''}[variables.images.transformList(i, s, i in variables.parts,
  i in variables.becomes
  ? ${rewritten.text}${ofLeft}
  : ${stays.join('\n    + ')}
)].map(l, l.transformList(i, s, i == 0 || s != l[i - 1], s))[0].flatten().distinct().filter(n, !(n in variables.present))`,
    },
  ];
}

interface Secrets {
  /** In CEL. */
  readonly text: string;
  /** Whether it is one list for all images. */
  readonly isSame: boolean;
}

function secretsOfRewritten(table: Table): Secrets {
  const same = sameSecrets(table);
  if (!hasTargets(table)) return { text: same === null ? secretsOfResult(table) : strings(same), isSame: same !== null && same.length > 0 };
  const others = same === null ? secretsOfResult(table) : strings(same);
  const at = secretsAt(table, 'variables.targetParts[i][k].key');
  const ofTargets = secretsOfTargets([at, ...ownSecrets(table), ...(attaches(table) ? [attachedBy('variables.targetsAgain[i][k]')] : [])]);
  return { text: `(has(variables.matched[i][0].targets) ? ${ofTargets}\n    : ${others})`, isSame: false };
}

/** Of the rule, whatever the target. */
function ownSecrets({ rules }: Table): string[] {
  return rules.some(({ policy }) => policy.pullSecrets.length > 0) ? [ofEntry('secrets', 'variables.matched[i][0]')] : [];
}

/** Of images whose rule has one target, where the rules say it all; null where they depend on the image. */
function sameSecrets(table: Table): string[] | null {
  const rewriting = table.rules.filter(({ action, targets }) => isExpressed(action) && targets.length === 0);
  const known = rewriting.map((rule) => knownSecrets(table, rule));
  const [one] = known;
  return one != null && !attaches(table) && known.every((each) => each?.join() === one.join()) ? one : null;
}

/** By the result. */
function secretsOfResult(table: Table): string {
  const { rules } = table;
  const isNamed = rules.some(({ registrySecrets }) => registrySecrets.length > 0);
  const named = isNamed ? [ofEntry('registrySecrets', 'variables.matched[i][0]')] : [];
  return [...named, secretsAt(table, 'variables.resultParts[i].key'), ...ownSecrets(table), ...(attaches(table) ? [again] : [])].join(
    '\n    + ',
  );
}

/** Null where they depend on more of the result than what the rule puts in front. */
function knownSecrets({ secrets }: Table, { action, base, registrySecrets, policy }: TableRule): string[] | null {
  const [host, ...path] = base.split('/');
  // An image of Docker Hub gets library/ in front, and the host is compared without regard to case.
  if (action === 'image' || host === undefined || host === 'docker.io' || host !== host.toLowerCase()) return null;
  const key = [host, ...path, ''].join('/');
  if (secrets.some(([prefix]) => prefix.startsWith(key) && prefix !== key)) return null;
  const at = secrets.flatMap(([prefix, secret]) => (key.startsWith(prefix) ? [secret] : []));
  return [...new Set([...registrySecrets, ...at, ...policy.pullSecrets])];
}
