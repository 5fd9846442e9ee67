/** The page that documents the command line: the help of every command, as the command prints it, with examples. */
import type { Command } from '../../src/cli/command.ts';

const fence = '```';

const introduction = `# Command line

<!-- Written by tools/docs/command-reference.ts from the help texts in src/cli: change those. -->

In a checkout, \`npx transship COMMAND\`. Data goes to standard output and messages to standard error, so that outputs can be piped.
A flag that takes one value cannot have two different ones. \`serve\` and \`controller\` use the last of several, so that \`extraArgs\` of the chart override its own.

| Exit code | Means |
|---|---|
| 0 | done |
| 1 | done, with findings; the help of each command says what it counts as one |
| 2 | wrong usage, or input that cannot be read |

A policy file that has errors is not used by any command; all of its errors are printed with file, line and column. The file itself is
described in [policy.md](policy.md).
`;

/** What a help text has no room for. */
const examples: Readonly<Record<string, string>> = {
  explain: `One line of JSON for each image, with these keys in this order:

${fence}console
$ printf 'nginx:1.27\\n' | npx transship explain --policy examples/replicated.yaml -o json -
{"image":"nginx:1.27","name":"docker.io/library/nginx","tag":"1.27","digest":null,"outcome":"rewritten","rule":"public-hub","result":"proxy.replicated.com/proxy/my-app/nginx:1.27","pullSecrets":["replicatedregistrykey"],"reason":"rule public-hub matches docker.io (fullName)","alternatives":[]}
${fence}

| Outcome | Means |
|---|---|
| \`rewritten\` | the pod gets \`result\` |
| \`already-there\` | it is under a target already, or its rule gives the same image or only attaches pull secrets |
| \`no-rule\` | no rule matches it |
| \`excluded\` | the policy excludes it, or its pod is never touched: a namespace of Kubernetes, a mirror pod, a pod that opted out |
| \`invalid\` | it is no image reference; it stays as it is |
| \`refused\` | a rule matches, but its result is no image, would be rewritten again, or has a host that is not resolved yet; it stays as it is |
| \`unchanged\` | an update of a pod does not change it; only in the webhook |

An image named alone is decided as that of a pod in namespace \`default\` without labels. The namespace's own label
\`transship.dev/rewrite\` is for the API server to look at and is not asked for here.`,
  rewrite: `As a post-renderer, with the files of [plugins/helm-post-renderer](../../plugins/helm-post-renderer). Helm 4 takes it as a plugin and gives it hooks too:

${fence}sh
helm plugin install plugins/helm-post-renderer
helm install shop ./chart --namespace shop --post-renderer transship --post-renderer-args --policy=policy.yaml --post-renderer-args --namespace=shop
${fence}

Helm 3 takes it as a program, and gives it no hooks: \`--post-renderer plugins/helm-post-renderer/post-render\`, with the same arguments. Helm tells a
post-renderer no namespace, so name it as here. Helm 4.2 does not show what a post-renderer says when it fails; to see it, run
\`helm template shop ./chart | transship rewrite --policy policy.yaml --namespace shop\`.

The text is changed where it says what changes, and only there; no document is written anew. Text that stands for several places (an
anchor with aliases) is changed as a whole where all of them change alike; otherwise an alias becomes a text of its own. Before it is
printed, the result is read again as kubectl and kustomize read it (YAML 1.1), and compared with what was decided.

| Left as it is | What to do |
|---|---|
| a merge key (\`<<\`) below a key of the same map that it overrides to kubectl, and not to kustomize | write the merge key first |
| a line separator of Unicode or a byte-order mark outside quotes, which kubectl takes for something else | remove it |
| a map or list that several places share, where one of them would need a copy that readers would not agree about | write it out for that place |

An image in an object without a pod template, such as the containers of an Alertmanager, is left to the webhook: which pods come of it is known to
its controller alone. Fields that hold an image, but no container, are named on standard error and left alone.`,
  images: `The source is the canonical name, so that all spellings of an image are one line:

${fence}console
$ npx transship images --policy examples/sample.yaml nginx:1.27 docker.io/nginx:1.27
docker.io/library/nginx:1.27  localhost:30500/library/nginx:1.27
${fence}

To copy them with their signatures and SBOMs, with [regctl](https://regclient.org) or [crane](https://github.com/google/go-containerregistry/tree/main/cmd/crane):

${fence}sh
npx transship images --policy policy.yaml -f manifests/ -o regctl > copy.sh && sh copy.sh
${fence}

crane does not ask a registry for [referrers](https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers): its script
copies those that have a tag of their own, as cosign makes them.

An image that pods pull by digest is copied from its digest to its tag, so that both are there. Where two digests of one image want one tag, one gets
it, and the others are copied by digest alone, with a warning.`,
};

export function commandReference(commands: readonly Command[]): string {
  const sections = commands.map(({ name, summary, help }) => {
    const example = examples[name];
    return `## \`${name}\`\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n\n${fence}text\n${help.trimEnd()}\n${fence}\n${example === undefined ? '' : `\n${example}\n`}`;
  });
  return [introduction, ...sections].join('\n');
}
