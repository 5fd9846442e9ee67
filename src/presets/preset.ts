/** A policy to begin with, as a record: what it is for, what has to be filled in, and how it sends images where. Pure. */

export interface Variable {
  /** What it is, for people. */
  readonly text: string;
  /** Stands in the policy until it is set; never somebody's real name. */
  readonly placeholder: string;
}

export type Values = Readonly<Record<string, string>>;

export interface Source {
  /** Name of the rule. */
  readonly rule: string;
  /** Patterns. */
  readonly images: readonly string[];
  /** Path on the target; absent for none. */
  readonly prefix?: string;
  /** What has to be done before, as a sentence. */
  readonly needs?: string;
}

/** One registry that images are sent to. */
export interface Preset {
  readonly name: string;
  /** For the list of presets. */
  readonly summary: string;
  /** Where the form of its image names is documented. */
  readonly source: string;
  readonly variables: Readonly<Record<string, Variable>>;
  /** Host, perhaps with a path. */
  readonly host: (values: Values) => string;
  /**
   * True where each source has an account of its own, as organizations of Quay have: each gets an entry in `registries` with its prefix in the host,
   * and Secrets named after it.
   */
  readonly isRegistryPerSource?: true;
  readonly pullSecret: string | null;
  /** Lines of YAML below `credentials:`, without indentation. */
  readonly credentials: ((values: Values) => readonly string[]) | null;
  readonly as: 'path' | 'fullName' | 'remainder';
  readonly sources: readonly Source[];
  /** For the tests of the policy, where no images are given. */
  readonly samples: readonly string[];
}
