/** Addresses and names inside a node. Each node has a network of its own, so all nodes may use the same. */
import { join } from 'node:path';

export const nodeAddress = '10.77.0.1';
export const podNetwork = '10.78.0.0/24';
export const serviceNetwork = '10.96.0.0/16';
/** The first address of the service network belongs to the Service `kubernetes`. */
export const kubernetesService = '10.96.0.1';
export const nodeName = 'node0';

/** Asks for a password. Containerd is told to go there for the names of the registries that the examples rewrite to. */
export const privateRegistry = { address: `${nodeAddress}:5000`, user: 'puller', password: 'first-password' } as const;
/** Asks for nothing, and answers on localhost, as the local registries of developers do. */
export const openRegistry = { address: 'localhost:5005' } as const;

export const pauseImage = 'transship.test/pause:1';

/** Paths below the node's folder. */
export const paths = (folder: string) =>
  ({
    pki: join(folder, 'pki'),
    config: join(folder, 'config'),
    components: join(folder, 'components'),
    /** An empty file here, named as a component, keeps it from being started. */
    stopped: join(folder, 'stopped'),
    log: join(folder, 'log'),
    run: join(folder, 'run'),
    data: join(folder, 'var'),
    registryHosts: join(folder, 'config', 'registry-hosts'),
    passwords: join(folder, 'config', 'htpasswd'),
    adminKubeconfig: join(folder, 'config', 'admin.kubeconfig'),
  }) as const;
