/**
 * Every kind of problem of a policy; source of docs/reference/findings.md. Codes are stable, since a CI may silence or count them; sentences
 * may change. Retired codes are not reused.
 */

/** `note`: neither right nor wrong, for whoever reviews a change. */
export type Severity = 'error' | 'warning' | 'note';

interface Kind {
  readonly severity: Severity;
  /** When it is found: a clause in Markdown. */
  readonly when: string;
}

const error = (when: string): Kind => ({ severity: 'error', when });
const warning = (when: string): Kind => ({ severity: 'warning', when });
const note = (when: string): Kind => ({ severity: 'note', when });

export const problemCodes = {
  'file-unreadable': error('the file is missing, may not be read, or is not UTF-8 text'),
  'internal-error': error('a fault of transship; please report it'),
  'yaml-syntax': error(
    'the file is not YAML that a policy may use: a syntax error, several documents, a key twice, an alias without an anchor',
  ),
  'too-many-aliases': error('aliases expand to more than a person writes'),
  'empty-file': error('the file has no content'),
  'not-a-policy': error('the file is something else: values of the chart, a ConfigMap, a manifest'),
  'unknown-key': error('a key that the policy does not have'),
  'invalid-value': error('a value of the wrong type or form, or a required one that is missing'),
  'invalid-pattern': error('a text under `images` or `exclude` that is no pattern'),
  'invalid-rewrite': error('options of `rewrite` that do not go together, or do not fit the patterns'),
  'invalid-host': error('the host of a registry is not the address of one'),
  'unknown-registry': error('`registry` of `rewrite`, or of an alternative, names a registry that `registries` does not have'),
  'duplicate-name': error('two rules, or two entries of `imageManagers`, have one name'),
  'secret-of-two-registries': error('two registries with `credentials` would write one Secret'),
  'unused-resolved-host': warning('the file of resolved hosts has a registry that the policy does not have'),
  'invalid-resolved-hosts': error('the file of resolved hosts is not a map of registries to hosts, or to `{ unavailable: true }`'),
  'rewritten-again': error('the result of a rule would be rewritten once more'),
  'failed-test': error('an entry of `tests` does not hold'),
  'shadowed-rule': warning('an earlier rule matches all images of a rule'),
  'never-matches': warning('an `exclude` covers a pattern, or no image has such a name'),
  'never-rewritten': warning('a pattern is under the target of a rule, so its images are there already'),
  'cannot-be-rewritten': warning('the transform of a rule has no result for the images of a pattern'),
  'repeated-alternative': warning('an alternative gives images the names that `rewrite` or an earlier alternative gives them'),
  'waiting-alternatives': warning('a rule with `alternatives` is not active, since the registry of its `rewrite` has no host yet'),
  'docker-hub-host': warning('another host of Docker Hub where `docker.io` is meant'),
  'organisation-for-image': warning('`docker.io/NAME` is an organisation, and an official image has that name'),
  'host-for-image': warning('`NAME:*` is a host with any port, and an image is meant'),
  'regex-matches-everything': warning('an expression that matches every image'),
  'regex-not-anchored': warning('an expression that does not begin with `^`'),
  'regex-dot': warning('a dot in an expression that matches any character'),
  'regex-start': warning('an expression begins as no canonical name does, or as another one does than meant'),
  'own-registry': warning("a broad pattern also matches images of the policy's own registries"),
  collision: warning('two images that the patterns name get one name'),
  'possible-collision': warning('two images that the patterns match may get one name'),
  'repeated-entry': warning('a name is twice in a list'),
  'namespace-without-effect': warning('a namespace that no pod runs in, or `**` where `*` says the same'),
  'not-exported': error('`transship export`: the format cannot express it; with `--partial` it is a warning'),
  'not-imported': error('`transship import`: the file is not of the format, or has what no policy can express'),
  'mutable-tags': note('a rule with `onMutableTag: fallBack`: another registry may have other content under the tag of an image'),
  'image-differs': note('an image of `tests`, or an example of a pattern, comes out differently than with the policy of `lint --against`'),
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemCode = keyof typeof problemCodes;
