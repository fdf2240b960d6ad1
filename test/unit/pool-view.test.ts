import { describe, expect, it } from 'vitest'
import {
  decodeFacts,
  encodeFacts,
  encodeMajorities,
  FACTS_TOPIC,
  OTHERS_MAX,
  VERSIONS_MAX,
} from '../../detectors/engine/facts-note.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import { PoolView } from '../../node-agent/pool-view.ts'
import { Publisher } from '../../node-agent/publisher.ts'
import { rosterOf, sampleMember } from '../mesh/sample-mesh.ts'

const HOUR_MS = 3_600_000
const roster = rosterOf([
  sampleMember('n1', 'zone-1', { roles: ['worker', 'etcd'] }),
  sampleMember('n2', 'zone-1', { roles: [] }),
])

function viewOf(node: string) {
  const told: Record<string, string>[] = []
  const publisher = new Publisher()
  const mesh: Pick<MeshNode, 'roster' | 'publish'> = {
    roster,
    publish: (topic, bytes) => {
      expect(topic).toBe(FACTS_TOPIC)
      told.push(decodeFacts(bytes))
    },
  }
  publisher.start(mesh as MeshNode)
  return { view: new PoolView(node, publisher), told }
}

const majorities = encodeMajorities([
  { pool: 'etcd+worker', fact: 'kernel', value: '6.1', nodes: 30, of: 31 },
  { pool: 'without a role', fact: 'kernel', value: '5.10', nodes: 5, of: 5 },
])

describe('a node beside its pool', () => {
  it('tells what it has when that is news, and again after hours', () => {
    const { view, told } = viewOf('n1')
    view.tell(0)
    expect(told).toEqual([])
    view.majority('kernel', '6.1')
    view.tell(1)
    view.majority('kernel', '6.1')
    view.tell(2)
    expect(told).toEqual([{ kernel: '6.1' }])
    view.majority('kernel', '6.2')
    view.tell(3)
    view.tell(7 * HOUR_MS)
    expect(told.slice(1)).toEqual([{ kernel: '6.2' }, { kernel: '6.2' }])
  })

  it('hears what most of its own pool have, which the roster names', () => {
    const { view } = viewOf('n1')
    expect(view.majority('kernel', '6.2')).toBeUndefined()
    view.hear(majorities)
    expect(view.majority('kernel', '6.2')).toEqual({ pool: 'etcd+worker', value: '6.1', nodes: 30, of: 31 })
    const other = viewOf('n2').view
    other.hear(majorities)
    expect(other.majority('kernel', '6.2')?.value).toBe('5.10')
    view.hear(encodeMajorities([]))
    expect(view.majority('kernel', '6.2')).toBeUndefined()
  })

  it('tells no more facts than others take, and none that is too long', () => {
    const { view, told } = viewOf('n1')
    view.majority('long', 'x'.repeat(257))
    view.majority('wide', '\u20ac'.repeat(86))
    const own = (index: number) => `${'\u20ac'.repeat(38)}${index}`
    for (let index = 0; index <= OTHERS_MAX; index++) view.majority(own(index), '\u20ac'.repeat(85))
    for (let index = 0; index <= VERSIONS_MAX; index++) view.majority(`${own(index)}-version`, '\u20ac'.repeat(85))
    view.tell(0)
    expect(Object.keys(told[0] ?? {})).toHaveLength(OTHERS_MAX + VERSIONS_MAX)
    expect(told[0]).not.toHaveProperty('long')
    expect(told[0]).not.toHaveProperty('wide')
    expect(encodeFacts(told[0] ?? {}).length).toBeLessThan(25_000)
  })

  it('tells its versions, however much else it has', () => {
    const { view, told } = viewOf('n1')
    for (let index = 0; index < 1_000; index++) view.majority(`kernel-params/f${index}-version`, '1')
    view.majority('kernel-version', '6.1')
    view.tell(0)
    expect(told[0]).toMatchObject({ 'kernel-version': '6.1' })
  })

  it('throws for what is no such note, and keeps what it knows', () => {
    const { view } = viewOf('n1')
    view.hear(majorities)
    expect(() => view.hear(new Uint8Array([1, 2, 3]))).toThrow()
    expect(view.majority('kernel', '6.2')?.nodes).toBe(30)
  })
})
