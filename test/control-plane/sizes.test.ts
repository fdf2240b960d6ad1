/**
 * Clusters of one to six nodes on a real control plane: who is marked, who is left to Kubernetes' own rule, and whether
 * anybody leads (docs/kubernetes.md, small clusters). All sizes with STARLING_SIZES=long (`npm run test:long`).
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { eventsAfter, lastSeq } from '../../bench/history.ts'
import { ZONES } from '../../bench/namespaces/mesh.ts'
import { describeReal } from '../real-part.ts'
import { Leaders } from './leaders.ts'
import { shownOn } from './shown.ts'
import { putBack, takeOut } from './sizes.ts'
import { theStage, WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

const isLong = process.env.STARLING_SIZES === 'long'

/** What is to be seen when nothing moves any more; of the nodes that are named in neither, that all is well with them. */
interface End {
  /** By us, whatever Kubernetes made of it since. */
  readonly marked?: readonly string[]
  /** To Kubernetes, which holds it for Unknown: nothing of ours is on it. */
  readonly left?: readonly string[]
  readonly leads: boolean
}

describeReal('small clusters on a real control plane', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let leaders: Leaders
  let all: readonly string[] = []
  /** Those that the cluster has now. */
  let nodes: readonly string[] = []

  beforeAll(async () => {
    stage = await theStage()
    leaders = new Leaders(stage)
    all = [...stage.kubelets.keys()]
    nodes = all
    await putInForce(stage, { marking: { mode: 'ready' } })
    await stage.mesh.untilWhole()
  }, WITHIN_MS)
  afterAll(async () => {
    for (const node of nodes) stage.network.plug(node)
    await allIsWell()
    await putBack(stage, without(all, nodes))
    await putInForce(stage, { marking: { mode: 'observe' } })
  }, WITHIN_MS)

  const shown = (node: string) => shownOn(stage.cluster, node)
  /** The first so many are left, in three zones while there are as many. */
  async function shrinkTo(count: number): Promise<void> {
    const leaving = nodes.slice(count)
    nodes = nodes.slice(0, count)
    if (leaving.length > 0) await takeOut(stage, leaving)
    await allIsWell()
  }
  /** All Nodes Ready, nothing of ours on any, somebody leads, no brake is on. */
  async function allIsWell(): Promise<void> {
    await leaders.leader()
    await stage.cluster.untilReady(nodes)
    await stage.cluster.until('nothing of ours', async () => {
      return (await Promise.all(nodes.map(shown))).every(({ own }) => own === undefined)
    })
    await stage.mesh.whole()
  }
  /** Two observers convict by the slow path alone. */
  const convictedAs = () => (nodes.length === 3 ? 'HostHung' : 'NodeDown')
  function untilEnds({ marked = [], left = [], leads }: End): Promise<unknown> {
    const says = `${marked.join(', ') || 'none'} marked, ${left.join(', ') || 'none'} left, ${leads ? 'a' : 'no'} leader`
    return stage.cluster.until(says, async () => {
      const ends = await Promise.all(
        nodes.map(async (node) => {
          const { ready, own } = await shown(node)
          if (marked.includes(node)) return own === convictedAs() && !ready.startsWith('True')
          if (left.includes(node)) return own === undefined && ready.startsWith('Unknown')
          return own === undefined && ready === 'True KubeletReady'
        }),
      )
      const isHeld = (await leaders.lease()).by !== ''
      return ends.every(Boolean) && ((await leaders.leading()).length === 1) === leads && isHeld === leads
    })
  }
  const ends = (what: string, end: End) => timed(`${what}, until all is as it should be`, untilEnds(end))
  const said = async (seq: number, kind: EventKind) => await eventsAfter(stage.mesh.client, seq, [kind])
  /** Whom a verdict had marked since; one of this mesh's own findings may be on a Node as well. */
  const markedSince = async (seq: number) => {
    const marks = (await said(seq, 'marked')).filter(({ summary }) => summary.includes('Ready=False'))
    return [...new Set(marks.map(({ node }) => node))].toSorted()
  }
  async function recover(seq: number, marked: readonly string[]): Promise<void> {
    for (const node of nodes) stage.network.plug(node)
    await allIsWell()
    expect(await markedSince(seq)).toEqual(marked)
  }
  /** The first lives on. The others die one after another, each when all is settled, while somebody `leads`; then the rest. */
  async function dieInTurn(marks: number, leads: number): Promise<void> {
    const seq = await lastSeq(stage.mesh.client)
    const mortal = nodes.slice(1)
    for (let deaths = 1; deaths <= leads; deaths++) {
      const dead = mortal.slice(0, deaths)
      stage.network.pull(dead.at(-1) ?? '')
      const end = { marked: dead.slice(0, marks), left: dead.slice(marks), leads: true }
      await ends(`${nodes.length} nodes, death ${deaths}`, end)
    }
    expect((await stage.mesh.client.state()).mesh.frozen === null).toBe(leads < 3)
    for (const node of mortal) stage.network.pull(node)
    await ends('... all but one', { marked: mortal.slice(0, marks), left: mortal.slice(marks), leads: false })
    await recover(seq, mortal.slice(0, marks))
  }
  async function dieAtOnce(count: number, fate: 'marked' | 'left', leads: boolean): Promise<void> {
    const seq = await lastSeq(stage.mesh.client)
    const dead = nodes.slice(-count)
    for (const node of dead) stage.network.pull(node)
    await ends(`${nodes.length} nodes, ${count} at once`, { [fate]: dead, leads })
    await recover(seq, fate === 'marked' ? dead : [])
  }
  /** Their kubelets end, and their hosts and agents go on: it is Kubernetes that shows them not Ready. */
  async function loseKubelets(names: readonly string[]): Promise<void> {
    for (const node of names) await stage.kubelet(node).kill()
    await stage.cluster.until('Kubernetes misses their kubelets', async () => {
      return (await Promise.all(names.map(shown))).every(({ ready }) => ready.startsWith('Unknown'))
    })
  }
  /** A host dies while Kubernetes shows others not Ready: convicted, and not marked until Kubernetes itself shows it so. */
  async function dieBeside(others: readonly string[], why: string): Promise<void> {
    const seq = await lastSeq(stage.mesh.client)
    const [dead = ''] = nodes
    await loseKubelets(others)
    stage.network.pull(dead)
    const withheld = async () => (await said(seq, 'mark-withheld')).filter(({ node }) => node === dead)
    await stage.cluster.until('withheld', async () => (await withheld()).length > 0)
    expect((await withheld()).map(({ summary }) => summary)).toEqual([`not marked: ${why}`])
    expect(await shown(dead)).toMatchObject({ ready: 'True KubeletReady', own: undefined })
    await stage.cluster.until('Kubernetes and we agree', async () => {
      const { ready, own } = await shown(dead)
      return ready.startsWith('Unknown') && own === 'NodeDown'
    })
    expect(await withheld()).toHaveLength(1)
    for (const node of others) stage.kubelet(node).start()
    stage.network.plug(dead)
    await allIsWell()
  }
  const size = (name: string, test: () => Promise<void>) => it(name, test, WITHIN_MS)

  if (isLong) {
    size('6 nodes: two die one after the other and are marked; a third, and all but one, are not', async () => {
      await shrinkTo(6)
      await dieInTurn(2, 3)
    })
    size('6 nodes: two at once are marked, five are not', async () => {
      await shrinkTo(6)
      await dieAtOnce(2, 'marked', true)
      await dieAtOnce(5, 'left', false)
    })
    size('6 nodes: one that dies beside two that Kubernetes shows not Ready is the third', async () => {
      await shrinkTo(6)
      await dieBeside(nodes.slice(-2), '3 of 6 nodes would be NotReady')
    })
    size('5 nodes: two die one after the other and are marked; a third, and all but one, are not', async () => {
      await shrinkTo(5)
      await dieInTurn(2, 3)
    })
    size('5 nodes: two at once are marked, three are not', async () => {
      await shrinkTo(5)
      await dieAtOnce(2, 'marked', true)
      await dieAtOnce(3, 'left', false)
    })
    size('4 nodes: one is marked; a second, and all but one, are not', async () => {
      await shrinkTo(4)
      await dieInTurn(1, 2)
    })
    size('4 nodes: two at once are not marked, and nobody leads', async () => {
      await shrinkTo(4)
      await dieAtOnce(2, 'left', false)
    })
    size('4 nodes: the last one that Kubernetes shows Ready is not marked', async () => {
      await shrinkTo(4)
      await dieBeside(nodes.slice(1), 'it is the last Ready node')
    })
    size('3 nodes in one zone: one is marked by the slow path; then nobody leads', async () => {
      await shrinkTo(3)
      await moveTo(['zone-a'])
      await dieInTurn(1, 1)
      await moveTo(ZONES)
    })
  }

  size(
    '3 nodes in three zones, then 2: one of three is marked by the slow path; half of a mesh has no leader',
    async () => {
      await shrinkTo(3)
      const [, second = '', third = ''] = nodes
      const seq = await lastSeq(stage.mesh.client)
      stage.network.pull(third)
      await ends('3 nodes, death 1', { marked: [third], leads: true })
      nodes = nodes.slice(0, 2)
      await takeOut(stage, [third])
      stage.network.plug(third)
      await ends('3 nodes, the dead one is taken out', { leads: true })
      stage.network.pull(second)
      await ends('2 nodes, death 1', { left: [second], leads: false })
      await recover(seq, [third])
    },
  )

  if (isLong) {
    size('1 node: it is not marked', async () => {
      await shrinkTo(1)
      await dieAtOnce(1, 'left', false)
    })
  }

  /** Gives the zones out to the nodes in turn. */
  async function moveTo(zones: readonly string[]): Promise<void> {
    const zoneOf = (index: number) => zones[index % zones.length]
    for (const [index, node] of nodes.entries()) {
      const labels = { 'topology.kubernetes.io/zone': zoneOf(index) }
      await stage.plane.admin.patch(`/api/v1/nodes/${node}`, { metadata: { labels } })
    }
    await stage.cluster.until('their zones', async () => {
      const { members } = await stage.mesh.client.state()
      return members.every(({ node, zone }) => zone === zoneOf(nodes.indexOf(node)))
    })
    await stage.mesh.untilWhole()
  }
})

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  return names.filter((name) => !others.includes(name))
}
