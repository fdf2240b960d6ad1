/** That the control plane of the tests is a real one: nodes, pods, endpoints, and what stock Kubernetes makes of a death. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { conditionOf, isReady, podOn, serviceOf } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { describeReal } from '../real-part.ts'
import { NODES, theStage, WITHIN_MS } from './stage.ts'

const VICTIM = 'node-2'

describeReal('a control plane with hollow kubelets and a mesh', missingForNodes(), () => {
  let stage: ControlPlaneStage
  beforeAll(async () => {
    stage = await theStage()
  }, WITHIN_MS)
  const readyStatus = async () => conditionOf(await stage.cluster.node(VICTIM), 'Ready')?.status
  const taints = async () =>
    (await stage.cluster.node(VICTIM)).spec.taints?.map(({ key, effect }) => `${key}:${effect}`)

  it('has Ready nodes at the addresses, and in the zones, of the agents', async () => {
    const nodes = await stage.cluster.nodes()
    expect(nodes.map(isReady)).toEqual(Array.from({ length: NODES }, () => true))
    const { members } = await stage.mesh.client.state()
    const seen = nodes.map(({ metadata, status }) => ({
      node: metadata.name,
      zone: metadata.labels?.['topology.kubernetes.io/zone'],
      address: status.addresses?.find(({ type }) => type === 'InternalIP')?.address,
    }))
    const expected = members.map(({ node, zone }) => ({ node, zone, address: node.replace('node-', '10.77.0.') }))
    expect(seen).toEqual(expected.toSorted((a, b) => (a.node < b.node ? -1 : 1)))
  })

  it(
    'has pods that become Ready and are behind their Services',
    async () => {
      const pods = [
        podOn('node-1', 'one', { app: 'web' }),
        podOn(VICTIM, 'two', { app: 'web' }),
        podOn(VICTIM, 'three'),
      ]
      await stage.cluster.add([...pods, podOn(VICTIM, 'lone', { app: 'single' })], ['web', 'single'].map(serviceOf))
      try {
        await stage.cluster.until('both endpoints', async () => (await stage.cluster.endpoints('web')).length === 2)
        expect(await stage.cluster.endpoints('web')).toEqual(['one', 'two'])
        await stage.cluster.until('the slice', async () => (await stage.cluster.slices('single')).length > 0)
        expect(await stage.cluster.slices('single')).toEqual(['lone'])
        expect((await stage.cluster.pods(VICTIM)).map(({ metadata }) => metadata.name).toSorted()).toEqual([
          'lone',
          'three',
          'two',
        ])
      } finally {
        await stage.cluster.remove(['one', 'two', 'three', 'lone'], ['web', 'single'])
      }
    },
    WITHIN_MS,
  )

  describe('with a fault', () => {
    afterEach(async () => {
      await stage.cluster.untilReady([...stage.kubelets.keys()])
      await stage.mesh.untilWhole()
    }, WITHIN_MS)

    it(
      'finds a dead host by itself after the grace, long after the mesh did',
      async () => {
        stage.network.pull(VICTIM)
        try {
          await stage.cluster.until('the mesh has a verdict', async () => {
            const { members } = await stage.mesh.client.state()
            return members.find(({ node }) => node === VICTIM)?.state === 'NodeDown'
          })
          expect([await readyStatus(), await taints()]).toEqual(['True', undefined])
          await stage.cluster.until('Ready is Unknown', async () => (await readyStatus()) === 'Unknown')
          await stage.cluster.until('the taint of stock Kubernetes', async () =>
            (await taints())?.includes('node.kubernetes.io/unreachable:NoSchedule'),
          )
        } finally {
          stage.network.plug(VICTIM)
        }
      },
      WITHIN_MS,
    )

    it(
      'has kubelets that answer for their hosts while the agent is stopped, and not when they hang as well',
      async () => {
        const { agent } = stage.mesh.processes(VICTIM)
        const state = async () => (await stage.mesh.client.state()).members.find(({ node }) => node === VICTIM)?.state
        agent.signal('SIGSTOP')
        try {
          await stage.cluster.until('only the agent is down', async () => (await state()) === 'AgentDown')
          stage.kubelet(VICTIM).pause()
          await stage.cluster.until('the host hangs', async () => (await state()) === 'HostHung')
        } finally {
          stage.kubelet(VICTIM).resume()
          agent.signal('SIGCONT')
        }
      },
      WITHIN_MS,
    )

    it(
      'goes on after its API server, etcd or a kubelet were killed, or paused for a while',
      async () => {
        const { plane, cluster } = stage
        await plane.apiServer.kill()
        await plane.etcd.kill()
        plane.etcd.start()
        plane.apiServer.start()
        await plane.untilReady()
        expect((await cluster.nodes()).length).toBe(NODES)

        plane.controllerManager.pause()
        await stage.kubelet(VICTIM).kill()
        stage.kubelet(VICTIM).start()
        plane.controllerManager.resume()
        await cluster.add([podOn(VICTIM, 'after')])
        await cluster.remove(['after'])
      },
      WITHIN_MS,
    )

    it(
      'can cut a node off from its peers and not from the API server',
      async () => {
        const heal = await stage.isolate(VICTIM)
        try {
          await stage.cluster.until('the mesh misses it', async () => {
            const { members } = await stage.mesh.client.state()
            return members.find(({ node }) => node === VICTIM)?.state !== 'alive'
          })
          await stage.network.run(VICTIM, process.execPath, '-e', KNOCK)
        } finally {
          await heal()
        }
      },
      WITHIN_MS,
    )
  })
})

/** Fails where the API server cannot be reached. */
const KNOCK = `
const socket = require('node:net').connect(6443, '10.77.0.254')
socket.once('connect', () => process.exit(0))
setTimeout(() => process.exit(1), 5000)
`
