/**
 * What is not a dead node, on a real control plane that is marked: an agent that dies alone, with a firewall and without, a
 * kubelet that dies alone, a host on which nothing runs any more while its kernel answers, and one that is sick while its
 * kubelet lives. What takes a minute runs with STARLING_KINDS=long (`npm run test:long`).
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { hollowCommand } from '../../bench/control-plane/hollow-kubelet.ts'
import { conditionOf } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { untilWhole } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'
import { shownOn } from './shown.ts'
import { SickHost, SMALL_DISK } from './sick-host.ts'
import { theStage, WITHIN_MS } from './stage.ts'

const isLong = process.env.STARLING_KINDS === 'long'
/** Of the detector that finds the sick host: the finding shows within that and two seconds. */
const DISK_EVERY = '5s'
/** Of a kubelet, every 10 s: kubemark knows no other. */
const STATUS_LOOPS = 3

const WELL = { ready: 'True KubeletReady', own: undefined, taints: [] }
/** An agent that is gone is known of after 3 s; a host that were held for dead would be marked by then, too. */
const FIREWALL = ['--protocol', 'tcp', '--dport', '7790']

describeReal('what is not a dead node', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let sickHost: SickHost | undefined
  /** The kubelet's death comes last: Kubernetes itself holds that node for not Ready for a while. */
  const [crashed, walled, hung, unserved, sick] = ['node-6', 'node-2', 'node-5', 'node-4', 'node-3'] as const

  beforeAll(async () => {
    stage = await theStage()
    const { dir } = stage.network
    await putInForce(stage, {
      marking: { mode: 'ready', taints: { DiskAlmostFull: 'NoSchedule' } },
      detectors: {
        // All nodes see all kubelets. The folder is there for all agents but the sick host's.
        'kubelet-process': { every: '1s', options: { commands: [hollowCommand(stage.network)], signs: [dir] } },
        'disk-usage': { every: DISK_EVERY, options: { include: [SMALL_DISK] } },
      },
    })
    sickHost = await SickHost.on(stage, sick)
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterEach(async () => {
    await stage.cluster.untilReady([...stage.kubelets.keys()])
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterAll(async () => {
    await sickHost?.stop()
    await putInForce(stage, { marking: { mode: 'observe' }, detectors: {} })
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)

  const shown = (name: string) => shownOn(stage.cluster, name)
  const kindsSince = async (seq: number, node: string): Promise<readonly EventKind[]> => {
    const events = await stage.mesh.client.events({ node, limit: 200 })
    return events.filter((event) => event.seq > seq).map(({ kind }) => kind)
  }
  const lastSeq = async () => (await stage.mesh.client.events({ limit: 1 }))[0]?.seq ?? 0
  const untilKind = (seq: number, kind: EventKind, node: string) =>
    stage.cluster.until(`${kind} of ${node}`, async () => (await kindsSince(seq, node)).includes(kind))
  const restart = async (node: string) => {
    const { agent } = stage.mesh.processes(node)
    await stage.cluster.until('the agent has ended', () => !agent.isRunning)
    agent.start()
  }

  it(
    'an agent that dies alone: AgentDown, and the node stays as it was',
    async () => {
      const seq = await lastSeq()
      stage.mesh.processes(crashed).agent.signal('SIGKILL')
      await untilKind(seq, 'agent-down', crashed)
      expect(await shown(crashed)).toMatchObject(WELL)
      await restart(crashed)
      await untilKind(seq, 'agent-up', crashed)
      expect(await kindsSince(seq, crashed)).not.toContain('verdict')
    },
    WITHIN_MS,
  )

  it(
    'an agent that dies behind a firewall that swallows: AgentDown, never a dead node',
    async () => {
      const seq = await lastSeq()
      const heal = await stage.network.drop(walled, FIREWALL)
      try {
        stage.mesh.processes(walled).agent.signal('SIGKILL')
        await untilKind(seq, 'agent-down', walled)
        expect(await shown(walled)).toMatchObject(WELL)
      } finally {
        await heal()
      }
      await restart(walled)
      await untilKind(seq, 'agent-up', walled)
      expect(await kindsSince(seq, walled)).not.toContain('verdict')
    },
    WITHIN_MS,
  )

  it(
    'a host whose kernel answers and nothing else: HostHung when its Lease is stale, and as before when it wakes',
    async () => {
      const seq = await lastSeq()
      const { agent } = stage.mesh.processes(hung)
      agent.signal('SIGSTOP')
      stage.kubelet(hung).pause()
      try {
        await stage.cluster.until('it is marked', async () => (await shown(hung)).own === 'HostHung')
        // Kubernetes' own grace is half of the usual here: it may have been first, and then its word stays.
        expect((await shown(hung)).ready).not.toContain('True')
      } finally {
        stage.kubelet(hung).resume()
        agent.signal('SIGCONT')
      }
      await stage.cluster.until('all is as before', async () => {
        const { ready, own } = await shown(hung)
        return ready === WELL.ready && own === undefined
      })
      expect(await kindsSince(seq, hung)).toEqual(expect.arrayContaining(['verdict', 'marked', 'recovered']))
    },
    WITHIN_MS,
  )

  it(
    'the same, woken before its time: nothing is marked',
    async () => {
      const seq = await lastSeq()
      const { agent } = stage.mesh.processes(crashed)
      agent.signal('SIGSTOP')
      stage.kubelet(crashed).pause()
      await untilKind(seq, 'suspected', crashed)
      stage.kubelet(crashed).resume()
      agent.signal('SIGCONT')
      await untilKind(seq, 'unsuspected', crashed)
      expect(await kindsSince(seq, crashed)).not.toContain('verdict')
      expect(await shown(crashed)).toMatchObject(WELL)
    },
    WITHIN_MS,
  )

  it(
    'a sick host whose kubelet lives: own condition and taint, whatever the kubelet writes, until it is well again',
    async () => {
      const taint = 'starling.mesh/unhealthy=DiskAlmostFull'
      const isShown = async () => {
        const { ready, own, taints } = await shown(sick)
        return own === 'FindingAlarm' && taints.includes(taint) && ready === WELL.ready
      }
      sickHost?.fill()
      await timed('disk full to condition and taint', stage.cluster.until('it is shown', isShown))
      for (let loop = 0; isLong && loop < STATUS_LOOPS; loop++) await untilStatusWritten(sick, isShown)
      sickHost?.empty()
      const isGone = async () => isDeepStrictEqual(await ofOurs(sick), { own: undefined, taints: [] })
      await timed('disk free to nothing of ours', stage.cluster.until('it is gone', isGone))
    },
    WITHIN_MS,
  )

  it(
    'a kubelet that dies alone, found by its agent, and when that dies too by the mesh: own condition and taint, no verdict',
    async () => {
      const seq = await lastSeq()
      const { agent } = stage.mesh.processes(unserved)
      let isReadyOurs = false
      const untilShown = (what: string) =>
        stage.cluster.until(what, async () => {
          const { own, taints, says, ready } = await shown(unserved)
          isReadyOurs ||= ready.includes('Starling')
          const isMarked = own === 'KubeletDown' && taints.includes('starling.mesh/unhealthy=KubeletDown')
          return isMarked && says?.includes(what)
        })
      await stage.kubelet(unserved).kill()
      await timed('kubelet dead to condition and taint', untilShown('processes is the kubelet'))
      agent.signal('SIGKILL')
      await timed('agent dead, too, to the word of the mesh', untilShown('its kubelet renews its Lease no more'))
      // Kubernetes may have missed it by then; what it says of it is its own.
      expect(isReadyOurs).toBe(false)
      await restart(unserved)
      stage.kubelet(unserved).start()
      await stage.cluster.until('nothing of ours', async () => {
        return isDeepStrictEqual(await ofOurs(unserved), { own: undefined, taints: [] })
      })
      await untilKind(seq, 'undone', unserved)
      expect(await kindsSince(seq, unserved)).toEqual(expect.arrayContaining(['finding', 'agent-down', 'marked']))
      expect(await kindsSince(seq, unserved)).not.toContain('verdict')
    },
    WITHIN_MS,
  )

  const ofOurs = async (node: string) => {
    const { own, taints } = await shown(node)
    return { own, taints: taints.filter((taint) => taint.startsWith('starling.mesh/')) }
  }
  /** For people: nothing depends on how long it took. */
  async function timed(what: string, work: Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    await work
    process.stderr.write(`    ${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`)
  }
  /** One more loop of the kubelet: it writes the node's status when that is not what it last wrote. */
  async function untilStatusWritten(node: string, holds: () => Promise<boolean>): Promise<void> {
    const messageOfReady = async () => conditionOf(await stage.cluster.node(node), 'Ready')?.message
    const message = 'not what the kubelet wrote'
    const conditions = [{ type: 'Ready', message }]
    await stage.plane.admin.patch(`/api/v1/nodes/${node}/status`, { status: { conditions } })
    let held = true
    await stage.cluster.until('the kubelet has written its status', async () => {
      held &&= await holds()
      return (await messageOfReady()) !== message
    })
    expect(held && (await holds())).toBe(true)
  }
})
