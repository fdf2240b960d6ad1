/**
 * What is not a dead node, on a real control plane that is marked: an agent that dies alone, with a firewall and without, a
 * kubelet that dies alone, and a host on which nothing runs any more while its kernel answers.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { untilWhole } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'
import { shownOn } from './shown.ts'
import { theStage, WITHIN_MS } from './stage.ts'

const WELL = { ready: 'True KubeletReady', own: undefined, taints: [] }
/** An agent that is gone is known of after 3 s; a host that were held for dead would be marked by then, too. */
const FIREWALL = ['--protocol', 'tcp', '--dport', '7790']

describeReal('what is not a dead node', missingForNodes(), () => {
  let stage: ControlPlaneStage
  /** The kubelet's death comes last: Kubernetes itself holds that node for not Ready for a while. */
  const [crashed, walled, hung, unserved] = ['node-6', 'node-2', 'node-5', 'node-4'] as const

  beforeAll(async () => {
    stage = await theStage()
    await putInForce(stage, { marking: { mode: 'ready' } })
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterEach(async () => {
    await stage.cluster.untilReady([...stage.kubelets.keys()])
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterAll(() => putInForce(stage, { marking: { mode: 'observe' } }), WITHIN_MS)

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
    'a kubelet that dies alone: no verdict; Kubernetes says what it says of it',
    async () => {
      const seq = await lastSeq()
      await stage.kubelet(unserved).kill()
      await stage.cluster.until('Kubernetes misses it', async () => (await shown(unserved)).ready.startsWith('Unknown'))
      expect((await shown(unserved)).own).toBeUndefined()
      expect(await kindsSince(seq, unserved)).not.toContain('verdict')
      stage.kubelet(unserved).start()
    },
    WITHIN_MS,
  )
})
