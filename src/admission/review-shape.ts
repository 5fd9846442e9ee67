/** The parts of an AdmissionReview that a decision reads. Everything else is checked and not built. */
import { arrayOf, objectOf, whole, type Shape } from './selective-json.ts';

const containers: Shape = arrayOf(objectOf({ name: whole, image: whole, imagePullPolicy: whole }));
const volumes: Shape = arrayOf(objectOf({ name: whole, image: objectOf({ reference: whole, pullPolicy: whole }) }));

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
    uid: whole,
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
