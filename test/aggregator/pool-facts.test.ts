import { encode } from 'cborg'
import { describe, expect, it } from 'vitest'
import { PoolFacts } from '../../aggregator/pool-facts.ts'
import { decodeMajorities, encodeFacts, FACTS_TOPIC, MAJORITIES_TOPIC } from '../../detectors/engine/facts-note.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { rosterOf, sampleMember } from '../mesh/sample-mesh.ts'

const HOUR_MS = 3_600_000
const NODES = Array.from({ length: 6 }, (_, index) => `n${index}`)
const roster = rosterOf(NODES.map((node) => sampleMember(node, 'zone-1', { roles: ['worker'] })))

function says(signer: string, bytes: Uint8Array): SignedStatement {
  const body = { kind: 'note', topic: FACTS_TOPIC, bytes } as const
  return { statement: { signer, serial: 1, boot: 1, seq: 1, ttlMs: 1, body }, signature: new Uint8Array() }
}

function desk() {
  const told: string[] = []
  const side = {
    isLeader: true,
    leads: () => side.isLeader,
    roster,
    publish: (topic: string, bytes: Uint8Array) => {
      expect(topic).toBe(MAJORITIES_TOPIC)
      told.push(
        decodeMajorities(bytes)
          .map(({ pool, fact, value, nodes, of }) => `${pool} ${fact}=${value} ${nodes}/${of}`)
          .join(),
      )
    },
  }
  const facts = new PoolFacts()
  facts.start(side)
  facts.stop()
  const hear = (node: string, value: string) => facts.hear(says(node, encodeFacts({ kernel: value })))
  return { facts, side, told, hear }
}

describe('the facts of pools at an aggregator', () => {
  it('are told when most of a pool agree, and again only when that changes, or after hours', () => {
    const { facts, told, hear } = desk()
    for (const node of NODES) hear(node, node === 'n3' ? '5.10' : '6.1')
    facts.tell(0)
    facts.tell(1_000)
    expect(told).toEqual(['worker kernel=6.1 5/6'])
    hear('n3', '6.1')
    facts.tell(2_000)
    expect(told.slice(1)).toEqual(['worker kernel=6.1 6/6'])
    facts.tell(7 * HOUR_MS)
    expect(told).toHaveLength(3)
  })

  it('are told by the leader alone, and anew by one that leads again', () => {
    const { facts, side, told, hear } = desk()
    for (const node of NODES) hear(node, '6.1')
    side.isLeader = false
    facts.tell(0)
    expect(told).toEqual([])
    side.isLeader = true
    facts.tell(1)
    side.isLeader = false
    facts.tell(2)
    side.isLeader = true
    facts.tell(3)
    expect(told).toHaveLength(2)
  })

  it('are those of members alone', () => {
    const { facts, told, hear } = desk()
    for (const node of ['x0', 'x1', 'x2', 'x3', 'x4']) hear(node, '6.1')
    facts.tell(0)
    expect(told).toEqual([''])
  })

  it.each([
    ['too many', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`f${index}`, '1']))],
    ['too long a value', { kernel: 'x'.repeat(257) }],
    ['too long a name', { ['k'.repeat(129)]: '1' }],
    ['no text', { kernel: 1 }],
    ['no facts', ['6.1']],
  ])('are refused when they are %s', (_, content) => {
    expect(() => desk().facts.hear(says('n1', encode(content)))).toThrow()
  })
})
