/** The parts of an AdmissionReview that a decision reads. Everything else is checked and left out. */
import { arrayOf, aside, objectOf, whole, type Shape } from './project-json.ts';

const containers: Shape = arrayOf(objectOf({ name: whole, image: whole, imagePullPolicy: whole }));
/** Most volumes have no image, and that of the service account has a name of its own in every pod. */
const volumes: Shape = arrayOf(objectOf({ name: whole, image: objectOf({ reference: whole, pullPolicy: whole }) }, 'image'));

const pod: Shape = objectOf({
  metadata: objectOf({
    name: whole,
    generateName: whole,
    labels: whole,
    annotations: whole,
    ownerReferences: arrayOf(objectOf({ kind: whole, name: whole, controller: whole })),
  }),
  spec: objectOf({ containers, initContainers: containers, ephemeralContainers: containers, volumes, imagePullSecrets: arrayOf(objectOf({ name: whole })) }),
});

export const reviewShape: Shape = objectOf({
  apiVersion: whole,
  kind: whole,
  request: objectOf({
    uid: aside,
    operation: whole,
    namespace: whole,
    name: whole,
    resource: objectOf({ group: whole, resource: whole }),
    subResource: whole,
    dryRun: whole,
    object: pod,
    oldObject: pod,
  }),
});
