/** The mutation in CEL: the operations of `rewritePod` in src/admission/rewrite-pod.ts, and the records of src/pod/records.ts. */
import { maxRecordLength, originalImagesAnnotation, rewrittenByAnnotation } from '../../pod/annotations.ts';
import { token } from '../../patch/pointer.ts';
import { literal } from './cel.ts';
import { isLeft, quotedRewriter, type Variable } from './entries.ts';
import { policyPlace } from './sites.ts';
import { hasLeft, type Table } from './table.ts';

/** Of all annotations of an object (kubernetes/apimachinery, pkg/api/validation/objectmeta.go). */
const maxAnnotations = 256 * 1024;

export function recordVariables(table: Table): Variable[] {
  const { rules } = table;
  const { revision } = table.policy;
  // The record of an image that is left to the webhook is never stale here.
  const ofLeft = hasLeft(table) ? `${isLeft('i')} ? s.image : ` : '';
  const first = 'variables.matched[i][0]';
  const written = `"\\"" + ${first}.rule + ${literal(`@${revision}"`)}`;
  const isQuoted = rules.some(({ name }) => quotedRewriter(name, revision) !== null);
  // Strings alone: where the rules are kept by host, Kyverno does not know the type of an entry.
  const members = {
    at: 'm.at',
    image: 'm.image',
    to: 'variables.becomes[i]',
    record: 'strings.quote(m.record) + ":"',
    ...(revision === null ? {} : { rule: isQuoted ? `string(has(${first}.quoted) ? ${first}.quoted : ${written})` : written }),
    ...(changesPullPolicy(rules) ? { pull: 'm.pull', pullPolicy: `string(has(${first}.pullPolicy) ? ${first}.pullPolicy : "keep")` } : {}),
  };
  return [
    {
      name: 'rewritten',
      expression: `variables.images.transformList(i, m, i in variables.becomes && m.at != "",
  {${Object.entries(members)
    .map(([name, expression]) => `${literal(name)}: ${expression}`)
    .join(', ')}})`,
    },
    {
      name: 'stale',
      comment: 'Records about an image that the update replaced by one that is not rewritten.',
      expression: `variables.change != "update" ? [] : variables.open.filter(s,
  !variables.rewritten.exists(r, r.at == s.at)
  && !variables.images.transformList(i, m, m.at == "" && m.record == s.record && i in variables.parts, ${ofLeft}variables.becomes[?i].orValue("")).exists(n, n == s.image)
).map(s, strings.quote(s.record) + ":")`,
    },
    ...textVariables(revision !== null),
  ];
}

/** The texts of the annotations. */
function textVariables(recordsRules: boolean): Variable[] {
  const ofRules = [
    { name: 'keptRules', expression: kept('recordedRules') },
    { name: 'newRules', expression: recordText('Rules', 'r.rule') },
    { name: 'nextRules', expression: nextRules },
  ];
  return [
    {
      name: 'space',
      comment: 'Bytes that the records may take: of all annotations 256 KiB, without the others.',
      expression: `${maxAnnotations} - object.metadata.?annotations.orValue({}).transformList(k, v,
  k == ${literal(originalImagesAnnotation)} || k == ${literal(rewrittenByAnnotation)} ? 0 : bytes(string(k)).size() + bytes(string(v)).size()).sum()`,
    },
    { name: 'keptImages', expression: kept('recordedImages') },
    {
      name: 'newImages',
      comment: 'The record as it should be; empty where nothing about it changes.',
      expression: recordText('Images', '"\\"" + r.image + "\\""'),
    },
    {
      name: 'nextImages',
      comment: 'The text of the annotation, empty for none: a record that does not fit is not written, and a wrong one removed.',
      expression: nextImages,
    },
    ...(recordsRules ? ofRules : []),
  ];
}

/** The revision that the variables of a policy put into the records on pods; null where there is none. */
export function recordedRevision(variables: readonly { readonly name: string; readonly expression: string }[]): string | null {
  const { expression = '' } = variables.find(({ name }) => name === 'rewritten') ?? {};
  return /"@([0-9a-z]+)\\?"/.exec(expression)?.[1] ?? null;
}

function changesPullPolicy(rules: Table['rules']): boolean {
  return rules.some(({ policy }) => policy.pullPolicy !== 'keep');
}

function kept(entries: string): string {
  return `variables.stale.size() == 0 ? variables.${entries} : variables.${entries}.filter(e, !variables.stale.exists(s, e.startsWith(s)))`;
}

type Kind = 'Images' | 'Rules';

const recordOf = (kind: Kind): string => `variables.${kind === 'Images' ? 'images' : 'rules'}Record`;

function recordText(kind: Kind, value: string): string {
  const text = `r.record + ${value}`;
  const entries = `variables.kept${kind}`;
  return `variables.rewritten.size() == 0 && ${entries}.size() == variables.recorded${kind}.size() ? "" : "{" + (${recordOf(kind)} == "" ? variables.rewritten.map(r, ${text})
: ${entries}.map(e, (variables.rewritten.filter(r, e.startsWith(r.record)).map(r, ${text}) + [e])[0])
  + variables.rewritten.filter(r, !${entries}.exists(e, e.startsWith(r.record))).map(r, ${text})).join(",") + "}"`;
}

const isRecord = (kind: Kind): string => `variables.new${kind} != "{}" && variables.new${kind}.size() <= ${maxRecordLength}`;

/** Whether the record of before says something that is no longer so. */
const isWrong = (kind: Kind): string =>
  `(variables.kept${kind}.size() < variables.recorded${kind}.size() || ${recordOf(kind)}.size() > ${maxRecordLength} || variables.rewritten.exists(r, variables.recorded${kind}.exists(e, e.startsWith(r.record))))`;

const nextImages = `variables.newImages == "" ? ${recordOf('Images')}
: ${isRecord('Images')} && ${originalImagesAnnotation.length} + variables.newImages.size() <= variables.space ? variables.newImages
: ${recordOf('Images')} == "" || ${isWrong('Images')} ? "" : ${recordOf('Images')}`;

const hasNewImages = 'variables.nextImages == variables.newImages';
/** Beside new images. */
const spaceForRules = `variables.space - ${originalImagesAnnotation.length} - variables.nextImages.size()`;

/** Beside the images, and not alone, as in src/pod/records.ts; where nothing is rewritten, the records only become shorter. */
const nextRules = `variables.newRules == "" ? ${recordOf('Rules')}
: ${isRecord('Rules')} && (${hasNewImages} && ${rewrittenByAnnotation.length} + variables.newRules.size() <= ${spaceForRules} || variables.rewritten.size() == 0) ? variables.newRules
: ${recordOf('Rules')} == "" || ${isWrong('Rules')} || ${hasNewImages} && ${rewrittenByAnnotation.length} + bytes(${recordOf('Rules')}).size() > ${spaceForRules} ? "" : ${recordOf('Rules')}`;

interface PatchWish {
  readonly hasSecrets: boolean;
  /** Whether the variable `concerned` tells the pods that stay as they are: the API server evaluates the mutation twice, also where it changes nothing. */
  readonly isEarly: boolean;
}

/** One expression: each further mutation costs a conversion of the pod, and all variables again. */
export function patchExpression({ rules, policy: { revision } }: Table, { hasSecrets, isEarly }: PatchWish): string {
  const parts = ['variables.rewritten.map(r, JSONPatch{op: "replace", path: r.at, value: r.to})'];
  if (changesPullPolicy(rules))
    parts.push(`(variables.change != "create" ? [] : variables.rewritten.filter(r, r.pullPolicy != "keep" && r.pullPolicy != r.pull && !(r.pullPolicy == "derive" && r.pull == "")).map(r,
  r.pullPolicy == "derive" ? JSONPatch{op: "remove", path: ${policyPlace('r.at')}} : JSONPatch{op: "add", path: ${policyPlace('r.at')}, value: r.pullPolicy}))`);
  if (hasSecrets)
    parts.push(`(variables.missing.size() == 0 ? []
  : !has(object.spec.imagePullSecrets) ? [JSONPatch{op: "add", path: "/spec/imagePullSecrets", value: variables.missing.map(n, {"name": n})}]
  : variables.missing.map(n, JSONPatch{op: "add", path: "/spec/imagePullSecrets/-", value: {"name": n}}))`);
  const records = [
    { annotation: originalImagesAnnotation, kind: 'Images' as const },
    ...(revision === null ? [] : [{ annotation: rewrittenByAnnotation, kind: 'Rules' as const }]),
  ];
  const isSame = records.map(({ kind }) => `variables.next${kind} == ${recordOf(kind)}`);
  const operations = records
    .map(({ annotation, kind }, index) => {
      const path = literal(`/metadata/annotations/${token(annotation)}`);
      const text = `variables.next${kind}`;
      return `(${isSame[index]} ? [] : [${text} == "" ? JSONPatch{op: "remove", path: ${path}} : JSONPatch{op: "add", path: ${path}, value: ${text}}])`;
    })
    .join('\n  + ');
  parts.push(`(variables.change == "debug" || ${isSame.join(' && ')} ? []
  : (has(object.metadata.annotations) ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}])
  + ${operations})`);
  return `${isEarly ? '!variables.concerned ? [] :\n' : ''}request.operation != "CREATE" && !variables.optedIn ? [] :\n${parts.join('\n+ ')}`;
}
