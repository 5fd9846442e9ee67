/** Where the artefacts come from: an in-toto statement with SLSA provenance (https://slsa.dev/spec/v1.0/provenance). */

export interface Subject {
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ProvenanceSource {
  readonly version: string;
  readonly repository: string;
  readonly revision: string;
  readonly baseDigests: readonly string[];
  readonly subjects: readonly Subject[];
}

export function provenance({ version, repository, revision, baseDigests, subjects }: ProvenanceSource): object {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: `${repository}/blob/main/RELEASE.md`,
        externalParameters: { version },
        resolvedDependencies: [
          { uri: `git+${repository}@refs/tags/v${version}`, digest: { gitCommit: revision } },
          ...baseDigests.map((digest) => ({ name: 'base image', digest: { sha256: digest.replace('sha256:', '') } })),
        ],
      },
      runDetails: { builder: { id: `${repository}/blob/main/tools/release/release.ts` } },
    },
  };
}
