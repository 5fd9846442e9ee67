import { test } from 'tap'

import { readServeOptions, type ServeOptions } from '../../src/cli/serve-options.ts'
import { ciValues, render, skipWithoutHelm, type Values } from './chart.ts'

/** The options that `transship serve` reads from the Deployment's arguments. Throws UsageError for an argument it does not have. */
async function serveOptions(values: Values): Promise<ServeOptions> {
  const [command, ...args]: readonly string[] = (await render(values)).one('Deployment')['spec'].template.spec.containers[0].args
  if (command !== 'serve') throw new Error(`the container runs ${command}`)
  return readServeOptions(args, {})
}

test('serve takes the arguments of the Deployment', { skip: skipWithoutHelm }, async (t) => {
  t.match(await serveOptions({}), {
    policy: '/etc/transship/policy/policy.yaml',
    tls: { certFile: '/etc/transship/tls/tls.crt', keyFile: '/etc/transship/tls/tls.key' },
    host: '0.0.0.0',
    port: 8443,
    metricsPort: 9090,
    clientCa: null,
    resolvedHosts: null,
    logLevel: 'info',
    // The grace period that the chart asks for is reckoned with it.
    drainSeconds: 10,
  })
  const values = {
    listenAddress: '::',
    ports: { https: 1, metrics: 2 },
    tls: { clientCA: { configMap: 'a' } },
    resolvedHosts: { configMap: 'b' },
    logLevel: 'silent',
  }
  t.match(await serveOptions(values), {
    host: '::',
    port: 1,
    metricsPort: 2,
    clientCa: '/etc/transship/client-ca/ca.crt',
    resolvedHosts: '/etc/transship/hosts/hosts.yaml',
    logLevel: 'silent',
  })
  for (const [file, more] of ciValues) await t.resolves(serveOptions(more), file)
})

test('an operator is excluded in the selectors and in code, or in neither', { skip: skipWithoutHelm }, async (t) => {
  for (const cloudNativePG of [true, false]) {
    const values = { operatorExclusions: { cloudNativePG } }
    t.same((await serveOptions(values)).excludedOperators, cloudNativePG ? ['cloudnative-pg'] : [])
    const conditions: { name: string }[] = (await render(values)).one('MutatingWebhookConfiguration')['webhooks'][0].matchConditions
    t.equal(conditions.some(({ name }) => name === 'not-of-cloudnativepg'), cloudNativePG)
  }
})
