/** The policy of a soak, and what tells which of its revisions answered. */

/** Two registries that carry the revision, so that half of a policy would be seen. */
export function policyText(revision: number): string {
  return `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { host: 'first-${revision}.example.com', pullSecrets: [first-pull] }
  second: { host: 'second-${revision}.example.com' }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: first, as: path } }
  - { name: quay, match: { images: [quay.io, ghcr.io] }, rewrite: { registry: second, as: fullName } }
`;
}

/** Cannot be used, each in another way. */
export function brokenPolicyText(revision: number): string {
  const text = policyText(revision);
  return (
    [text.slice(0, -30), '', text.replace('rules:', 'ruels:'), text.replace('registry: second', 'registry: third')][revision % 4] ?? ''
  );
}

/** The revisions whose hosts a patch has: one, or the answer came from half a policy. */
export function revisionsOf(patch: string): ReadonlySet<number> {
  return new Set([...patch.matchAll(/"(?:first|second)-(\d+)\.example\.com/g)].map((match) => Number(match[1])));
}
