/** What the test cluster is made of: each program, the Go module that pins it, and the version stamps it needs. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

type Stamps = (version: string) => readonly string[];

/** Their sources carry the version already. */
const noStamps: Stamps = () => [];

/**
 * Unstamped, an API server reports a version that is no semantic version, and Helm refuses the cluster.
 * Both packages, because the servers read the first and the clients the second.
 */
const kubernetesStamps: Stamps = (version) => {
  const [major, minor] = version.slice(1).split('.');
  const values = [`gitVersion=${version}`, `gitMajor=${major}`, `gitMinor=${minor}`, 'gitTreeState=archive', 'gitCommit=unknown'];
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => values.map((value) => `${path}.${value}`));
};

const modules = [
  { folder: 'etcd', pins: 'go.etcd.io/etcd/server/v3', stamps: noStamps },
  { folder: 'kubernetes', pins: 'k8s.io/kubernetes', stamps: kubernetesStamps },
  { folder: 'kubernetes-1.34', pins: 'k8s.io/kubernetes', stamps: kubernetesStamps },
  { folder: 'kubernetes-1.37', pins: 'k8s.io/kubernetes', stamps: kubernetesStamps },
  { folder: 'kwok', pins: 'sigs.k8s.io/kwok', stamps: noStamps },
  { folder: 'helm', pins: 'helm.sh/helm/v4', stamps: (version) => [`helm.sh/helm/v4/internal/version.version=${version}`] },
  { folder: 'helm3', pins: 'helm.sh/helm/v3', stamps: (version) => [`helm.sh/helm/v3/internal/version.version=${version}`] },
  { folder: 'krew', pins: 'sigs.k8s.io/krew', stamps: noStamps },
  { folder: 'regclient', pins: 'github.com/regclient/regclient', stamps: noStamps },
  { folder: 'containerd', pins: 'github.com/containerd/containerd/v2', stamps: noStamps },
  { folder: 'wharfie', pins: 'github.com/rancher/wharfie', stamps: noStamps },
  { folder: 'containers-image', pins: 'go.podman.io/image/v5', stamps: noStamps },
  { folder: 'kyverno', pins: 'github.com/kyverno/kyverno', stamps: noStamps },
] as const satisfies { folder: string; pins: string; stamps: Stamps }[];

type Module = (typeof modules)[number];

/** In the order they are built: what most tests need comes first. */
const sources = [
  { program: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  { program: 'kube-apiserver', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  { program: 'kubectl', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kubectl' },
  { program: 'kube-controller-manager', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  { program: 'kube-scheduler', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-scheduler' },
  { program: 'decoder', module: 'kubernetes', package: './decoder' },
  { program: 'keyring', module: 'kubernetes', package: './keyring' },
  { program: 'kwok', module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
  { program: 'helm', module: 'helm', package: 'helm.sh/helm/v4/cmd/helm' },
  { program: 'helm3', module: 'helm3', package: 'helm.sh/helm/v3/cmd/helm' },
  { program: 'regctl', module: 'regclient', package: 'github.com/regclient/regclient/cmd/regctl' },
  { program: 'krew', module: 'krew', package: 'sigs.k8s.io/krew/cmd/krew' },
  { program: 'validate-krew-manifest', module: 'krew', package: 'sigs.k8s.io/krew/cmd/validate-krew-manifest' },
  { program: 'containerd-requests', module: 'containerd', package: './registry-requests' },
  { program: 'k3s-requests', module: 'wharfie', package: './registry-requests' },
  { program: 'pull-sources', module: 'containers-image', package: './pull-sources' },
  { program: 'kube-apiserver-1.34', module: 'kubernetes-1.34', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  { program: 'kube-apiserver-1.37', module: 'kubernetes-1.37', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  { program: 'kubelet', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kubelet' },
  { program: 'kube-proxy', module: 'kubernetes', package: 'k8s.io/kubernetes/cmd/kube-proxy' },
  { program: 'kyverno-mutate', module: 'kyverno', package: './mutate' },
] as const satisfies { program: string; module: Module['folder']; package: string }[];

export type Program = (typeof sources)[number]['program'];

/** Only a real node needs these two; the fake nodes of kwok do not. */
export const nodePrograms: readonly Program[] = ['kubelet', 'kube-proxy'];
/** Of tests that are not in `npm test`, since it takes longer to build than an API server. */
export const kyvernoPrograms: readonly Program[] = ['kyverno-mutate'];
export const clusterPrograms: readonly Program[] = sources
  .map(({ program }) => program)
  .filter((program) => !nodePrograms.includes(program) && !kyvernoPrograms.includes(program));

/**
 * The API server for a minor: each emulates its own and up to three before it, none before 1.31
 * (https://kubernetes.io/docs/concepts/cluster-administration/compatibility-version/).
 */
export function apiServerFor(minor: string | undefined): Program {
  if (minor === '1.31' || minor === '1.32') return 'kube-apiserver-1.34';
  return minor === '1.37' ? 'kube-apiserver-1.37' : 'kube-apiserver';
}

/** Without the path of this checkout, so the same sources give the same binary everywhere. */
const buildFlags = ['-trimpath', '-buildvcs=false'] as const;

const folderOf = ({ folder }: Module): URL => new URL(`tools/${folder}/`, import.meta.url);

/** The version that go.mod pins, as `v1.36.3`. */
function pinnedVersion(module: Module): string {
  const lines = readFileSync(new URL('go.mod', folderOf(module)), 'utf8').split('\n');
  const words = lines.map((line) =>
    line
      .trim()
      .replace(/^require /, '')
      .split(' '),
  );
  const version = words.find(([path]) => path === module.pins)?.[1];
  if (version === undefined)
    throw new Error(`test/cluster/tools/${module.folder}/go.mod does not require ${module.pins}: add it with "go get"`);
  return version;
}

export interface Build {
  readonly program: Program;
  readonly version: string;
  /** Folder of the Go module to build in. */
  readonly folder: URL;
  /** Everything after `go build` but the output file. */
  readonly arguments: readonly string[];
  /** Names the binary: another go.mod, go.sum, source of ours, flag or platform gives another key, and another program's does not. */
  readonly key: string;
}

export function buildOf(program: Program): Build {
  const source = sources.find((candidate) => candidate.program === program);
  const module = modules.find((candidate) => candidate.folder === source?.module);
  if (source === undefined || module === undefined) throw new Error(`no module for ${program}: name it in test/cluster/tools.ts`);
  const version = pinnedVersion(module);
  const linker = ['-s', '-w', ...module.stamps(version).map((stamp) => `-X ${stamp}`)].join(' ');
  const goArguments = [...buildFlags, `-ldflags=${linker}`, source.package];
  return { program, version, folder: folderOf(module), arguments: goArguments, key: buildKey(module, source.package, goArguments) };
}

export const buildsOf = (programs: readonly Program[]): Build[] => programs.map(buildOf);

function buildKey(module: Module, path: string, goArguments: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  const own = path.startsWith('./') ? [`${path}/main.go`] : [];
  for (const file of ['go.mod', 'go.sum', ...own]) hash.update(readFileSync(new URL(file, folderOf(module))));
  return hash.update(JSON.stringify(goArguments)).digest('hex').slice(0, 16);
}
