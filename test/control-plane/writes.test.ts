/**
 * Writes that do not go well, each at an exact moment: a checkpoint before the real API server keeps them, refuses them or
 * loses their answers. What takes a minute each runs with STARLING_WRITES=long (`npm run test:long`).
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type About, Checkpoint, type Met } from '../../bench/control-plane/checkpoint.ts'
import { conditionOf, podOn, serviceOf } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { aggregatorMachine } from '../../bench/namespaces/mesh.ts'
import { describeReal } from '../real-part.ts'
import { Leaders } from './leaders.ts'
import { shownOn } from './shown.ts'
import { leaveFirst, theStage, WITHIN_MS } from './stage.ts'
import { lift, saturate } from './writes-load.ts'

const isLong = process.env.STARLING_WRITES === 'long'
const PODS_PER_NODE = 6
const LEASE_MS = 8_000
const FOREIGN = 'test/foreign'

describeReal('writes that do not go well', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let leaders: Leaders
  let checkpoint: Checkpoint
  let nodes: readonly string[] = []
  /** Each death on a node of its own: one that keeps coming and going has to be heard for longer each time. */
  const [first, second, third, fourth, fifth, sixth] = [
    'node-6',
    'node-4',
    'node-1',
    'node-2',
    'node-3',
    'node-5',
  ] as const
  const podsOf = (node: string) => Array.from({ length: PODS_PER_NODE }, (_, index) => `${node}-pod-${index}`)
  const used = isLong ? [first, second, third, fourth, fifth, sixth] : [first, second]

  beforeAll(async () => {
    stage = await theStage()
    leaders = new Leaders(stage)
    nodes = [...stage.kubelets.keys()]
    await putInForce(stage, { marking: { mode: 'ready' } })
    await stage.cluster.add(
      used.flatMap((node) => podsOf(node).map((pod) => podOn(node, pod, { app: 'written' }))),
      [serviceOf('written')],
    )
    const addresses = stage.mesh.aggregators.map((_, index) => aggregatorMachine(index + 1).address)
    checkpoint = await Checkpoint.open(stage.plane, addresses)
    await allIsWell()
  }, WITHIN_MS)
  afterEach(async () => {
    checkpoint.meetNobody()
    for (const node of nodes) {
      stage.network.plug(node)
      stage.kubelet(node).resume()
    }
    await allIsWell()
  }, WITHIN_MS)
  afterAll(async () => {
    await checkpoint.close()
    await leaveFirst(stage)
    await stage.cluster.remove(used.flatMap(podsOf), ['written'])
    await putInForce(stage, { marking: { mode: 'observe' } })
  }, WITHIN_MS)

  async function allIsWell(): Promise<void> {
    for (const { process } of stage.mesh.aggregators) if (!process.isRunning) process.start()
    await leaders.untilStandsBy(leaders.not(await leaders.leader()))
    await stage.cluster.untilReady(nodes)
    for (const node of used) await untilUndone(node)
    await stage.mesh.untilWhole()
  }
  const shown = (node: string) => shownOn(stage.cluster, node)
  const served = () => stage.cluster.endpoints('written')
  const untilMarked = (node: string) =>
    stage.cluster.until(`${node} marked`, async () => {
      const [{ own }, names] = await Promise.all([shown(node), served()])
      return own === 'NodeDown' && !podsOf(node).some((pod) => names.includes(pod))
    })
  const untilUndone = (node: string) =>
    stage.cluster.until(`${node} as before`, async () => {
      const [{ own, ready }, names] = await Promise.all([shown(node), served()])
      return own === undefined && ready === 'True KubeletReady' && podsOf(node).every((pod) => names.includes(pod))
    })
  /** How many pods show our mark. */
  const markedPods = async (node: string) => {
    const pods = await stage.cluster.pods(node)
    return pods.filter((pod) => conditionOf(pod, 'Ready')?.reason === 'StarlingNodeDown').length
  }
  /** For people: nothing depends on how long it took. */
  async function timed(what: string, work: Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    await work
    process.stderr.write(`    ${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`)
  }

  const nodePath = (node: string) => `/api/v1/nodes/${node}/status`
  const podPath = (pod: string) => `/api/v1/namespaces/default/pods/${pod}/status`
  const isPatch = (about: About, paths: readonly string[]) => about.method === 'PATCH' && paths.includes(about.path)
  const isMark = ({ said }: About) => said.includes('StarlingNodeDown')
  const marksPods = (node: string) => (about: About) => isPatch(about, podsOf(node).map(podPath)) && isMark(about)
  const marksNode = (node: string) => (about: About) => isPatch(about, [nodePath(node)]) && isMark(about)
  const undoesPods = (node: string) => (about: About) => isPatch(about, podsOf(node).map(podPath)) && !isMark(about)
  const undoesNode = (node: string) => (about: About) => isPatch(about, [nodePath(node)]) && !isMark(about)

  /**
   * Brings a node back while its kubelet still stands, so that all that is undone is undone by us; resolves when each of its
   * pods was.
   */
  async function expectUndoneByUs(node: string): Promise<void> {
    const undone = new Set<string>()
    const over = checkpoint.meet(undoesPods(node), (met) => {
      void met.pass().then((status) => status === 200 && undone.add(met.path))
    })
    stage.network.plug(node)
    await timed(
      'back to all pods undone by us',
      stage.cluster.until('all pods', () => undone.size === PODS_PER_NODE),
    )
    over()
    stage.kubelet(node).resume()
    await timed('... to all as before', untilUndone(node))
  }

  /** The leader dies when just so many of its writes were carried out, that of the Node first; the next is on its way. */
  async function killAfter(writes: number, node: string): Promise<void> {
    const leader = await leaders.leader()
    const carriedOut: Promise<number>[] = []
    const kept: Met[] = []
    const wants = (about: About) => marksNode(node)(about) || marksPods(node)(about)
    const over = checkpoint.meet(wants, (met) => {
      if (carriedOut.length < writes) carriedOut.push(met.pass())
      else kept.push(met)
    })
    stage.kubelet(node).pause()
    stage.network.pull(node)
    await stage.cluster.until('a write that is kept', () => kept.length > 0)
    expect(await Promise.all(carriedOut)).toEqual(Array.from({ length: writes }, () => 200))
    await leaders.kill(leader)
    over()
    for (const met of kept) met.cut()
    expect((await shown(node)).own).toBe(writes === 0 ? undefined : 'NodeDown')
    expect(await markedPods(node)).toBe(Math.max(0, writes - 1))
    await timed('leader killed to all marked by the next', untilMarked(node))
    expect(await markedPods(node)).toBe(PODS_PER_NODE)
    await expectUndoneByUs(node)
  }

  const itLong = (name: string, test: () => Promise<void>) => {
    if (isLong) it(name, test, WITHIN_MS)
  }

  it(
    'a leader that is killed half way through the pods: the next one finishes, and undoes the marks of both',
    () => killAfter(1 + PODS_PER_NODE / 2, first),
    WITHIN_MS,
  )

  it(
    'refusals, conflicts, lost answers and silence: all is marked and undone in the end, and nothing of others is lost',
    async () => {
      const { admin } = stage.plane
      const pods = podsOf(second)
      const foreign = { type: 'TestForeign', status: 'False', reason: 'Test' }
      const busy: Trouble = (met) => met.refuse(429, { 'retry-after': '1', 'x-kubernetes-pf-flowschema-uid': 'any' })
      const broken: Trouble = (met) => met.refuse(500)
      const unanswered: Trouble = async (met) => expect(await met.passUnanswered()).toBe(200)
      const silent: Trouble = () => {}
      const cut: Trouble = (met) => met.cut()
      const overtaken =
        (by: string): Trouble =>
        async (met) => {
          await admin.patch(met.path.replace(/\/status$/, ''), { metadata: { labels: { [FOREIGN]: by } } })
          const conditions = [{ ...foreign, message: by }]
          if (met.path === nodePath(second)) await admin.patch(met.path, { status: { conditions } })
          expect(await met.pass()).toBe(409)
        }

      /** One trouble after another, for the Node or for each of the pods; gives what ends it, when all of them were met. */
      const begin = (wants: (about: About) => boolean, troubles: (met: Met) => Trouble | undefined) => {
        const begun: unknown[] = []
        const end = checkpoint.meet(wants, (met) => {
          const trouble = troubles(met)
          begun.push(trouble === undefined ? met.pass() : trouble(met))
        })
        return async () => {
          end()
          await Promise.all(begun)
        }
      }
      const inTrouble = (node: Wants, ofPods: Wants, by: string, onPods: readonly Trouble[]) => {
        const onNode = [busy, broken, overtaken(by), unanswered]
        const left = new Map(pods.map((pod, index) => [podPath(pod), onPods[index]]))
        const ends = [
          begin(node(second), () => onNode.shift()),
          begin(ofPods(second), ({ path }) => {
            const trouble = left.get(path)
            left.delete(path)
            return trouble
          }),
        ]
        return async () => {
          await Promise.all(ends.map((end) => end()))
          expect([onNode.length, left.size]).toEqual([0, 0])
        }
      }

      stage.kubelet(second).pause()
      const onMark = [busy, broken, unanswered, overtaken('marking'), silent, cut]
      const marked = inTrouble(marksNode, marksPods, 'marking', onMark)
      stage.network.pull(second)
      await timed('death to marked', untilMarked(second))
      await marked()
      expect(await markedPods(second)).toBe(PODS_PER_NODE)
      const onUndo = [cut, unanswered, busy, broken, overtaken('undoing'), silent]
      const undone = inTrouble(undoesNode, undoesPods, 'undoing', onUndo)
      stage.network.plug(second)
      const isUndone = async () => (await shown(second)).own === undefined && (await markedPods(second)) === 0
      await timed('back to undone, the kubelet still standing', stage.cluster.until('undone by us', isUndone))
      await undone()

      const node = await stage.cluster.node(second)
      expect(node.metadata.labels?.[FOREIGN]).toBe('undoing')
      expect(conditionOf(node, foreign.type)).toMatchObject({ ...foreign, message: 'undoing' })
      const labels = (await stage.cluster.pods(second)).map(({ metadata }) => metadata.labels?.[FOREIGN])
      expect(labels.filter((label) => label !== undefined).toSorted()).toEqual(['marking', 'undoing'])
      await admin.patch(`/api/v1/nodes/${second}`, { metadata: { labels: { [FOREIGN]: null } } })
      await admin.patch(nodePath(second), { status: { conditions: [{ type: foreign.type, $patch: 'delete' }] } })
    },
    WITHIN_MS,
  )

  itLong('a leader that is killed before its first write arrives: the next one marks, and undoes', () =>
    killAfter(0, third),
  )

  itLong('a leader that is killed between the write of the Node and those of its pods: the next one finishes', () =>
    killAfter(1, fourth),
  )

  /** Stopped with so many writes under way, which arrive when another has led for long and the node is back. */
  async function stopWith(writes: number, node: string, wants: (about: About) => boolean): Promise<void> {
    const leader = await leaders.leader()
    const kept = new Map<string, Met>()
    const over = checkpoint.meet(wants, (met) => kept.set(met.path, met))
    stage.network.pull(node)
    await stage.cluster.until('writes on their way', () => kept.size === writes)
    leader.process.signal('SIGSTOP')
    const stoppedAt = Date.now()
    over()
    stage.network.plug(node)
    try {
      await timed('leader stopped to the next one', leaders.untilLeads(leaders.not(leader)))
      await untilUndone(node)
      await leaders.untilRenewedFor(stoppedAt, 3 * LEASE_MS)
      // Nobody wrote since what they were made from: the API server carries them out.
      const late = [...kept.values()].map((met) => met.pass())
      expect(await Promise.all(late)).toEqual(late.map(() => 200))
    } finally {
      leader.process.signal('SIGCONT')
    }
    await timed('going on to undone', untilUndone(node))
    await leaders.untilStandsBy(leader)
  }

  itLong('a leader that is stopped with the writes of pods under way: they are taken back when it goes on', () =>
    stopWith(PODS_PER_NODE, fifth, marksPods(fifth)),
  )

  itLong('a leader that is stopped with the write of a Node under way: it is taken back when it goes on', async () => {
    // Its kubelet has just said that it is well, and says so once a minute: nobody writes it meanwhile.
    const { heartbeat } = await shown(sixth)
    await stage.cluster.until('a heartbeat', async () => (await shown(sixth)).heartbeat !== heartbeat)
    await stopWith(1, sixth, marksNode(sixth))
  })

  itLong(
    'writes that are kept for ever: none is made up for, the mesh is asked afresh and its word written',
    async () => {
      const kept: Met[] = []
      const over = checkpoint.meet(marksNode(third), (met) => kept.push(met))
      const verdicts = () => [...new Set(kept.map(({ said }) => /verdict=(\S+)/.exec(said)?.[1]))]
      const isAnother = () => verdicts().length > 1
      stage.network.pull(third)
      await timed('death to another verdict', stage.cluster.until('another verdict', isAnother))
      over()
      for (const met of kept) met.cut()
      await timed('... to marked', untilMarked(third))
      expect((await shown(third)).says).not.toContain(String(verdicts()[0]))
      stage.network.plug(third)
      await timed('back to undone', untilUndone(third))
    },
  )

  async function dies(node: string, when: string): Promise<void> {
    const isDown = async () => {
      const { members } = await Promise.any(stage.mesh.aggregators.map(({ client }) => client.state()))
      return members.some((member) => member.node === node && member.state === 'NodeDown')
    }
    stage.network.pull(node)
    await Promise.all([
      timed(`${when}: death to verdict`, stage.cluster.until('the verdict', isDown)),
      timed(`${when}: death to marked`, untilMarked(node)),
    ])
    stage.network.plug(node)
    await timed(`${when}: back to undone`, untilUndone(node))
    await stage.mesh.untilWhole()
  }

  itLong('the share of service accounts taken up by another: detection goes on, and marks come', async () => {
    await dies(first, 'at rest')
    const load = await saturate(stage)
    try {
      await dies(fourth, 'workload-low taken up')
      const fall = await lift(stage)
      await dies(fifth, 'lifted out of it')
      await fall()
    } finally {
      await load.stop()
      process.stderr.write(`    answers to the other: ${JSON.stringify([...load.answers])}\n`)
    }
  })
})

type Wants = (node: string) => (about: About) => boolean
type Trouble = (met: Met) => void | Promise<void>
