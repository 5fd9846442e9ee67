/** Hosts of registries: each state of a cluster as a row, with what is written and what is told. */
import type { V1ConfigMap, V1Node, V1Service } from '@kubernetes/client-node';
import { test } from 'tap';

import { parseResolvedHosts } from '../../../src/config/resolved-hosts.ts';
import { policySchema } from '../../../src/config/schema.ts';
import { resolveHosts, type HostSources } from '../../../src/controller/hosts/hosts-plan.ts';
import { hostsOf, hostsText } from '../../../src/controller/hosts/hosts-text.ts';

const service = (port: object, type = 'NodePort'): V1Service => ({ spec: { type, ports: [port as never] } });
const registryPort = { name: 'registry', port: 5000, nodePort: 30500 };
const node = (name: string, ready: string, ...addresses: [type: string, address: string][]): V1Node => ({
  metadata: { name },
  status: {
    conditions: [
      { type: 'MemoryPressure', status: 'False' },
      { type: 'Ready', status: ready },
    ],
    addresses: addresses.map(([type, address]) => ({ type, address })),
  },
});
const hosting = (text: string): V1ConfigMap => ({ data: { 'localRegistryHosting.v1': text } });
const viaLocalhost = { service: { namespace: 'release', name: 'registry', port: 'registry' } };
const viaNode = { service: { ...viaLocalhost.service, port: 5000, via: 'nodeIP' } };
const kep = { localRegistryHosting: true };

interface Row {
  readonly hostFrom: object;
  readonly service?: V1Service | null | undefined;
  readonly nodes?: readonly V1Node[] | undefined;
  readonly hosting?: V1ConfigMap | null | undefined;
  readonly before?: string;
  /** Null when it is not known yet. */
  readonly host?: string | null;
  readonly problem?: RegExp;
}

const ready = node('b', 'True', ['Hostname', 'b'], ['InternalIP', '10.0.0.2'], ['InternalIP', 'fd00::2']);
const rows: Record<string, Row> = {
  'a node port by name': { hostFrom: viaLocalhost, service: service(registryPort), host: 'localhost:30500' },
  'a LoadBalancer has node ports too': { hostFrom: viaLocalhost, service: service(registryPort, 'LoadBalancer'), host: 'localhost:30500' },
  'by number, on a node': { hostFrom: viaNode, service: service(registryPort), nodes: [ready], host: '10.0.0.2:30500' },
  'the first by name of the nodes that are ready': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [ready, node('a', 'False', ['InternalIP', '10.0.0.1']), node('c', 'True', ['InternalIP', '10.0.0.3'])],
    host: '10.0.0.2:30500',
  },
  'the node of before stays': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [ready, node('a', 'True', ['InternalIP', '10.0.0.1'])],
    before: '10.0.0.2:30400',
    host: '10.0.0.2:30500',
  },
  'a node of before that is gone': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [ready],
    before: '10.0.0.9:30500',
    host: '10.0.0.2:30500',
  },
  'an address that begins like the one of before': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [ready, node('a', 'True', ['InternalIP', '10.0.0.1'])],
    before: '10.0.0.20:30500',
    host: '10.0.0.1:30500',
  },
  IPv6: {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [node('a', 'True', ['InternalIP', 'fd00::1'])],
    host: '[fd00::1]:30500',
  },
  'no node is ready': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [node('a', 'Unknown', ['InternalIP', '10.0.0.1'])],
    problem: /no node is ready/,
  },
  'no node has an address': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: [node('a', 'True', ['Hostname', 'a'])],
    problem: /InternalIP/,
  },
  'nodes are not listed yet': { hostFrom: viaNode, service: service(registryPort), nodes: undefined, host: null },
  'nodes are not listed yet, and there was a host': {
    hostFrom: viaNode,
    service: service(registryPort),
    nodes: undefined,
    before: '10.0.0.2:30500',
    host: '10.0.0.2:30500',
  },
  'the Service is not listed yet': { hostFrom: viaLocalhost, service: undefined, before: 'localhost:1', host: 'localhost:1' },
  'no Service': { hostFrom: viaLocalhost, service: null, before: 'localhost:30500', problem: /there is no Service release\/registry/ },
  'another port': {
    hostFrom: viaLocalhost,
    service: service({ name: 'http', port: 80, nodePort: 30080 }),
    problem: /has no port registry/,
  },
  'no node port': { hostFrom: viaLocalhost, service: service({ name: 'registry', port: 5000 }, 'ClusterIP'), problem: /of type NodePort/ },
  'KEP-1755': { hostFrom: kep, hosting: hosting('host: "localhost:5000"\nhelp: "https://kind.sigs.k8s.io"'), host: 'localhost:5000' },
  'KEP-1755 with a host for the runtime': {
    hostFrom: kep,
    hosting: hosting('host: localhost:5000\nhostFromContainerRuntime: "registry:5000"'),
    host: 'registry:5000',
  },
  'KEP-1755 with an empty one': {
    hostFrom: kep,
    hosting: hosting('host: localhost:5000\nhostFromContainerRuntime: ""'),
    host: 'localhost:5000',
  },
  'KEP-1755 that is no YAML': { hostFrom: kep, hosting: hosting('host: ['), problem: /not a YAML map/ },
  'KEP-1755 that is a list': { hostFrom: kep, hosting: hosting('- host'), problem: /not a YAML map/ },
  'KEP-1755 with an alias bomb': { hostFrom: kep, hosting: hosting('a: &a [x]\nhost: *a'), problem: /not a YAML map/ },
  'KEP-1755 without a host': {
    hostFrom: kep,
    hosting: hosting('help: "https://example.com"'),
    problem: /neither hostFromContainerRuntime nor host/,
  },
  'KEP-1755 with a host that serve would refuse': {
    hostFrom: kep,
    hosting: hosting('host: "http://localhost:5000"'),
    problem: /without a scheme/,
  },
  'KEP-1755 without the key': { hostFrom: kep, hosting: { data: {} }, problem: /has no key/ },
  'no ConfigMap': { hostFrom: kep, hosting: null, problem: /there is no ConfigMap kube-public\/local-registry-hosting/ },
  'the ConfigMap is not listed yet': { hostFrom: kep, hosting: undefined, host: null },
};

test('what a registry becomes', async (t) => {
  for (const [what, row] of Object.entries(rows)) {
    const policy = policySchema.parse({
      apiVersion: 'transship.dev/v1',
      kind: 'RewritePolicy',
      registries: { it: { hostFrom: row.hostFrom }, fixed: { host: 'reg.example.com' } },
    });
    const sources: HostSources = { service: () => row.service, hosting: () => row.hosting, nodes: () => row.nodes };
    const { hosts, problems } = resolveHosts(policy, sources, row.before === undefined ? {} : { it: row.before });
    t.same(hosts, typeof row.host === 'string' ? { it: row.host } : {}, what);
    if (row.problem === undefined) t.equal(problems.size, 0, what);
    else t.match(problems.get('it'), row.problem, what);
  }
});

test('what is written is what serve reads, in one order', async (t) => {
  const hosts = { z: 'localhost:30500', a: '[fd00::1]:30500', 'key: with #': 'registry:5000' };
  t.same(parseResolvedHosts(hostsText(hosts), 'hosts.yaml'), { hosts, findings: [] });
  t.equal(hostsText(hosts), hostsText(Object.fromEntries(Object.entries(hosts).toReversed())));
  t.same(parseResolvedHosts(hostsText({}), 'hosts.yaml'), { hosts: {}, findings: [] });
  t.same(hostsOf({ data: { 'hosts.yaml': 'a: localhost:1\n' } }), { a: 'localhost:1' });
  t.same(hostsOf({ data: { 'hosts.yaml': 'a: [' } }), {}, 'broken by somebody: written anew');
  t.same(hostsOf(undefined), {});
});
