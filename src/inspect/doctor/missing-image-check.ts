/** Whether registries have the images that pods need, as the controller found when it asked them. */
import { verifyStatusKey } from '../../registry/verify-status.ts';
import { hasController, listed, releaseCheck, type Check, type Problem } from './check.ts';
import type { ReleaseFacts } from './facts.ts';

export const missingImages: Check = {
  ...releaseCheck(
    'missing-images',
    'registries with verify have the images that pods need, as the controller found',
    (release) => {
      const { verify } = release;
      if (verify === undefined) return [];
      return verify === null ? null : [...missingIn(release), ...unanswered(release)];
    },
    hasController,
  ),
  // The controller asks again within minutes.
  isPast: true,
};

function missingIn({ verify, namespace, fullName }: ReleaseFacts): Problem[] {
  const byRegistry = Map.groupBy(verify?.missing ?? [], ({ registry }) => registry);
  const key = verifyStatusKey.replace('.', String.raw`\.`);
  return [...byRegistry].map(([registry, images]) => ({
    sentence: `registry ${registry} lacks ${images.length === 1 ? 'an image' : `${images.length} images`} that pods need: ${listed(images.map(({ image }) => image))}`,
    remedy: `copy what is missing, as \`transship images\` prints it; kubectl --namespace ${namespace} get configmap ${fullName}-verify -o jsonpath='{.data.${key}}' has each image with its source`,
  }));
}

function unanswered({ verify, namespace, fullName }: ReleaseFacts): Problem[] {
  return (verify?.problems ?? []).map(({ registry, reason, since }) => ({
    sentence: `registry ${registry} does not tell the controller which images it has, since ${since}: ${reason}`,
    remedy: `see that the controller reaches it, and that the Secret of its credentials is right; kubectl --namespace ${namespace} logs deployment/${fullName}-controller`,
  }));
}
