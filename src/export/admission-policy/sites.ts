/** The places of a pod that a request may change, as variables in CEL: src/pod/images.ts, and `openSites` of src/admission/rewrite-pod.ts. */
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../pod/annotations.ts';
import { fallbackAnnotation, fallbackLayout, maxFallbackLength } from '../../pod/fallback-record.ts';
import { literal } from './cel.ts';
import type { Variable } from './entries.ts';

export const containerLists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
export type ContainerList = (typeof containerLists)[number];

/** Of the new object. The API server leaves out empty lists, but for `containers`: a pod without any, which others may add or which it refuses later, has null. */
export function containersIn(list: ContainerList): string {
  return list === 'containers' ? 'optional.ofNonZeroValue(object.spec.containers).orValue([])' : `object.spec.?${list}.orValue([])`;
}

/** A container and a volume always have a name, maybe an empty one. */
function containers(list: ContainerList, condition: string): string {
  return `${containersIn(list)}.transformList(i, c, has(c.image)${condition},
    {"at": "/spec/${list}/" + string(i) + "/image", "record": string(c.name), "image": string(c.image), "pull": string(c.?imagePullPolicy.orValue(""))})`;
}

const volumes = `object.spec.?volumes.orValue([]).transformList(i, v, has(v.image) && has(v.image.reference),
    {"at": "/spec/volumes/" + string(i) + "/image/reference", "record": "volume." + string(v.name), "image": string(v.image.reference),
     "pull": string(v.image.?pullPolicy.orValue(""))})`;

/** Where the pull policy of an image is, in CEL. @param at where the image is */
export function policyPlace(at: string): string {
  return `(${at}.endsWith("/reference") ? ${at}.replace("/reference", "/pullPolicy") : ${at} + "PullPolicy")`;
}

const changed = (list: string): string =>
  ` && !oldObject.spec.?${list}.orValue([]).exists(o, o.?name == c.?name && o.?image == c.?image) && !${isMoved}`;
const isMoved = `variables.moved.exists(e, e.startsWith(strings.quote(string(c.name)) + ":{") && e.endsWith(":" + strings.quote(string(c.image))))`;
const added = ' && !oldObject.spec.?ephemeralContainers.orValue([]).exists(o, o.?name == c.?name)';

/**
 * The open images, and the recorded ones of those that an update changes: these are decided as well, to see whether the record still holds. Their
 * `at` is empty.
 */
export const sites = `variables.change != "update" ? variables.open
: variables.open + variables.open.map(s, variables.recordedImages.filter(e, e.startsWith(strings.quote(s.record) + ":")).map(e,
    {"at": "", "record": s.record, "pull": s.pull, "image": e.substring(s.record.size() + 4, e.size() - 1)})).flatten()`;

export function siteVariables(): Variable[] {
  return [
    {
      name: 'change',
      expression:
        'request.operation == "CREATE" ? "create" : request.?subResource.orValue("") == "ephemeralcontainers" ? "debug" : "update"',
    },
    {
      name: 'moved',
      comment: 'Steps of the controller: an image that it moved to an alternative stays there, with its record.',
      expression: `variables.change != "update" ? [] : [string(object.metadata.?annotations[?${literal(fallbackAnnotation)}].orValue(""))]
.filter(t, t.size() <= ${maxFallbackLength} && t.matches(${literal(fallbackLayout.whole)}))
.map(t, t.findAll(${literal(fallbackLayout.stepStart)})).flatten()`,
    },
    {
      name: 'open',
      comment: 'The images that may be changed: of a new pod all, of an update those that it changes, new ones of ephemeral containers.',
      expression: `variables.change == "create"
? ${containers('containers', '')}
  + ${containers('initContainers', '')}
  + ${volumes}
: variables.change == "debug"
? ${containers('ephemeralContainers', added)}
: ${containers('containers', changed('containers'))}
  + ${containers('initContainers', changed('initContainers'))}`,
    },
    ...[
      { name: 'imagesRecord', annotation: originalImagesAnnotation },
      { name: 'rulesRecord', annotation: rewrittenByAnnotation },
    ].map(({ name, annotation }) => ({
      name,
      expression: `string(object.metadata.?annotations[?${literal(annotation)}].orValue(""))`,
    })),
    { name: 'recordedImages', comment: 'The entries of an existing record.', expression: recordedEntries('imagesRecord') },
    { name: 'recordedRules', expression: recordedEntries('rulesRecord') },
  ];
}

/** A string of JSON, in ASCII and with the escapes that `asciiJson` of src/pod/records.ts makes. */
const asciiString = String.raw`"(?:[ !#-\[\]-~]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*"`;
/** As transship writes it. */
const entry = `${asciiString}:${asciiString}`;

function recordedEntries(variable: string): string {
  const text = `variables.${variable}`;
  return `${text}.size() <= 16384 && ${text}.matches(${literal(`^[{]${entry}(?:,${entry})*[}]$`)}) ? ${text}.findAll(${literal(entry)}) : []`;
}
