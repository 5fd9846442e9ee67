/** What containerd, CNI, kubelet, kube-proxy and the registries read, and why each unusual setting is there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { pluginFolder } from './requirements.ts';
import { nodeAddress, nodeName, openRegistry, pauseImage, paths, podNetwork, privateRegistry } from './settings.ts';

/** Containerd 1.x, as Debian has it. */
function containerdConfig(folder: string): string {
  const path = paths(folder);
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${path.data}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[${cri}]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE runc cannot lower oom_score_adj, and no sandbox starts.
  restrict_oom_score_adj = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [${cri}.cni]
    bin_dir = "${pluginFolder()}"
    conf_dir = "${path.config}/cni"
  [${cri}.registry]
    config_path = "${path.registryHosts}"
`;
}

const network = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    // hairpinMode lets a pod reach itself through its own Service.
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      isDefaultGateway: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: podNetwork }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

const kubeletConfig = (folder: string, cgroup: string): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: nodeAddress,
  // Kubelets from 1.35 on refuse cgroup v1 unless told so.
  failCgroupV1: false,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroup}`,
  failSwapOn: false,
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  resolvConf: `${paths(folder).config}/resolv.conf`,
  clusterDomain: 'cluster.local',
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: `${paths(folder).pki}/ca.crt` } },
  authorization: { mode: 'Webhook' },
  // A full disk of this machine is not the test's business.
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'nodefs.inodesFree': '1%',
    'imagefs.available': '1%',
    'imagefs.inodesFree': '1%',
  },
  serializeImagePulls: false,
  // A changed ConfigMap or Secret reaches a pod's files at the next sync: a minute by default.
  syncFrequency: '2s',
  volumePluginDir: `${paths(folder).data}/volume-plugins`,
});

const proxyConfig = (folder: string): object => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  // Of kube-proxy's modes only this one serves node ports on localhost.
  mode: 'iptables',
  iptables: { minSyncPeriod: '0s', localhostNodePorts: true },
  hostnameOverride: nodeName,
  clientConnection: { kubeconfig: `${paths(folder).config}/kube-proxy.kubeconfig` },
  clusterCIDR: podNetwork,
  // Zeros: these limits are the machine's and not the namespace's, and stay as they are.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
});

const registryConfig = (data: string, address: string, passwords?: string): object => ({
  version: 0.1,
  log: { accesslog: { disabled: false }, level: 'info' },
  storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
  http: { addr: address },
  ...(passwords !== undefined && { auth: { htpasswd: { realm: 'node', path: passwords } } }),
});

/**
 * Makes containerd pull the images of this host from the private registry, with the credentials of the pull secret.
 *
 * @param url of another server
 */
export function sendToPrivateRegistry(folder: string, host: string, url = `http://${privateRegistry.address}`): void {
  const hostFolder = join(paths(folder).registryHosts, host);
  mkdirSync(hostFolder, { recursive: true });
  writeFileSync(join(hostFolder, 'hosts.toml'), `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`);
}

export function writeRuntimeFiles(folder: string, cgroup: string): void {
  const { config, data, passwords } = paths(folder);
  mkdirSync(join(config, 'cni'), { recursive: true });
  const contents: [file: string, text: string][] = [
    ['containerd.toml', containerdConfig(folder)],
    ['cni/10-pods.conflist', JSON.stringify(network)],
    ['kubelet.yaml', stringify(kubeletConfig(folder, cgroup))],
    ['kube-proxy.yaml', stringify(proxyConfig(folder))],
    ['registry-private.yaml', stringify(registryConfig(`${data}/registry-private`, privateRegistry.address, passwords))],
    ['registry-open.yaml', stringify(registryConfig(`${data}/registry-open`, openRegistry.address))],
    ['resolv.conf', ''],
  ];
  for (const [file, text] of contents) writeFileSync(join(config, file), text);
}
