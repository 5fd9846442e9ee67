/** The parts of an AdmissionReview that a decision reads. Everything else is checked and left out. */
import { alwaysFits, originalImagesAnnotation } from '../pod/annotations.ts';
import { mirrorAnnotation } from '../pod/pod.ts';
import { arrayOf, objectOf, whole, type Shape } from './json-projection.ts';

/** Strings that no decision reads, told aside: they differ between pods that ask the same. */
export const slots = { uid: 0, name: 1, podName: 2, generateName: 3, ownerName: 4 } as const;
export type Slot = (typeof slots)[keyof typeof slots];

const aside = (slot: Slot): Shape => ({ slot });

const containers: Shape = arrayOf(objectOf({ name: whole, image: whole, imagePullPolicy: whole }));
/** Most volumes have no image, and that of the service account has a name of its own in every pod. */
const volumes: Shape = arrayOf(objectOf({ name: whole, image: objectOf({ reference: whole, pullPolicy: whole }) }, 'image'));
const lists = { containers, initContainers: containers, ephemeralContainers: containers };

/** What counts of a review of that many bytes. */
export type ShapeOf = (length: number) => Shape;

/** Those that decide, unless there may be too many for one more. */
export const decidingAnnotations = [mirrorAnnotation, originalImagesAnnotation];

/**
 * @param labels keys of those that decide; a Job gives each of its pods others of its own, and other controllers do so with annotations
 */
export function reviewShape(labels: readonly string[]): ShapeOf {
  const decidingLabels = membersOf(labels);
  const some = shapeWith(decidingLabels, membersOf(decidingAnnotations));
  const all = shapeWith(decidingLabels, whole);
  return (length) => (length <= alwaysFits ? some : all);
}

function membersOf(keys: readonly string[]): Shape {
  return objectOf(Object.fromEntries(keys.map((key) => [key, whole])));
}

function shapeWith(labels: Shape, annotations: Shape): Shape {
  const metadata = objectOf({
    name: aside(slots.podName),
    generateName: aside(slots.generateName),
    labels,
    annotations,
    ownerReferences: arrayOf(objectOf({ kind: whole, name: aside(slots.ownerName), controller: whole })),
  });
  return objectOf({
    apiVersion: whole,
    kind: whole,
    request: objectOf({
      uid: aside(slots.uid),
      operation: whole,
      namespace: whole,
      name: aside(slots.name),
      resource: objectOf({ group: whole, resource: whole }),
      subResource: whole,
      dryRun: whole,
      object: objectOf({ metadata, spec: objectOf({ ...lists, volumes, imagePullSecrets: arrayOf(objectOf({ name: whole })) }) }),
      // Its images are compared, and nothing else.
      oldObject: objectOf({ spec: objectOf({ ...lists, volumes }) }),
    }),
  });
}
