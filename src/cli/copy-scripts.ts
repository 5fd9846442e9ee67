/** Shell scripts that copy images with their referrers: signatures, attestations, SBOMs. */
import { nameOf, type Copy } from './copies.ts';

const head = `#!/bin/sh
# Copies the images that pods are rewritten to, with their signatures, attestations and SBOMs. Written by transship images.
set -eu
`;

const check = `  if [ -n "$3" ] && [ "$found" != "$3" ]; then
    echo "$2 has $found, not $3" >&2
    exit 1
  fi
`;

/** https://regclient.org/usage/regctl/: `--referrers` copies OCI referrers, `--digest-tags` the tags that cosign derives from digests. */
export function regctlScript(copies: readonly Copy[]): string {
  return `${head}
# source, target, digest of the target or nothing
copy() {
  regctl image copy --referrers --digest-tags "$1" "$2"
  found=$(regctl image digest "$2")
${check}}

${lines(copies)}`;
}

/**
 * crane copies only what its arguments name. Signatures are in tags derived from the digest: those of cosign, and those of the OCI
 * referrers tag schema (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema).
 */
export function craneScript(copies: readonly Copy[]): string {
  return `${head}# crane does not ask a registry for referrers: those that have no tag of their own are copied by \`-o regctl\` only.

# source, target, digest of the target or nothing, repository of the source, repository of the target
copy() {
  crane copy "$1" "$2"
  found=$(crane digest "$2")
${check}  prefix=sha256-\${found#sha256:}
  for suffix in '' .sig .att .sbom; do
    if crane digest "$4:$prefix$suffix" >/dev/null 2>&1; then
      crane copy "$4:$prefix$suffix" "$5:$prefix$suffix"
    fi
  done
}

${lines(copies, ({ reference, target }) => ` ${quoted(reference.name)} ${quoted(nameOf(target))}`)}`;
}

function lines(copies: readonly Copy[], more: (copy: Copy) => string = () => ''): string {
  return copies.map((copy) => `copy ${quoted(copy.source)} ${quoted(copy.target)} ${quoted(copy.digest ?? '')}${more(copy)}\n`).join('');
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
