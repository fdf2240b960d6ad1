import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { aggregatorMachine, NamespaceMesh, nodeMachine } from '../../bench/namespaces/mesh.ts'
import { missingForNamespaces } from '../../bench/namespaces/namespace.ts'
import { Network } from '../../bench/namespaces/network.ts'
import { SOURCE } from '../../bench/program.ts'
import { until } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'

const SETTINGS = `
version: 1
mesh: namespaces
detectors: {kernel-params: {every: 2s, options: {wanted: {}, alike: [net.core.somaxconn]}}}
`

describeReal('five real agents, each with kernel parameters of its own', missingForNamespaces(), () => {
  it('find the one that differs from the others of its pool, and no other', async () => {
    const machines = [1, 2, 3, 4, 5].map(nodeMachine)
    const aggregators = [aggregatorMachine(1)]
    const network = new Network([...machines, ...aggregators])
    try {
      // Where a mesh that is founded there finds its own.
      writeFileSync(join(network.dir, 'settings.yaml'), SETTINGS)
      const mesh = await NamespaceMesh.on(network, machines, { aggregators, program: SOURCE, zones: ['zone-1'] })
      await network.run('node-3', 'sh', '-c', 'echo 777 > /proc/sys/net/core/somaxconn')
      const unusual = async () => {
        const { findings } = await mesh.client.state()
        return findings.filter(({ reason }) => reason === 'KernelParamUnusual')
      }
      await until(mesh.client, 'a finding', async () => (await unusual()).length > 0)
      expect((await unusual()).map(({ node, summary }) => `${node}: ${summary}`)).toEqual([
        expect.stringMatching(/^node-3: net\.core\.somaxconn is 777, 80 % of 5 nodes of pool .+ have \d+$/),
      ])
      mesh.stop()
    } finally {
      network.remove()
    }
  }, 300_000)
})
