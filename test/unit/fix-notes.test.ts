/** Whom a node believes what is said about its fixes, and what it says itself. */
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../common/log.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import { FixNotes } from '../../node-agent/fix-notes.ts'
import { Publisher } from '../../node-agent/publisher.ts'
import { noHands } from '../../remediators/hands.ts'
import {
  decodePermitRequest,
  encodeNote,
  permitRequestTopic,
  permitTopic,
  refusalTopic,
} from '../../remediators/notes.ts'
import type { Permit, PermitRequest } from '../../remediators/permits.ts'
import type { RemediationRoom } from '../../remediators/run.ts'

const NODE = 'node-7'
const planId = 'fix-0'
const hashes = { planHash: 'a'.repeat(64), evidenceHash: 'b'.repeat(64) }
const nonce = '0'.repeat(32)
const permit: Permit = { id: 'permit-1', node: NODE, planId, ...hashes, nonce, at: '2026-01-01T00:00:00Z' }

const statementOf = (signer: string, topic: string, bytes: Uint8Array): SignedStatement => {
  const body = { kind: 'note', topic, bytes } as const
  return { statement: { signer, serial: 1, boot: 1, seq: 1, ttlMs: 30_000, body }, signature: new Uint8Array(64) }
}

describe('notes about fixes', () => {
  let heard: unknown[]
  let said: { topic: string; bytes: Uint8Array; ttlMs: number }[]
  let follows: MeshNode['follows']
  let notes: FixNotes
  let kept: [string, SignedStatement][]
  beforeEach(() => {
    heard = []
    said = []
    follows = undefined
    const publisher = new Publisher()
    publisher.start({
      publish: (topic: string, bytes: Uint8Array, ttlMs: number) => said.push({ topic, bytes, ttlMs }),
      now: () => 100_000,
      get follows() {
        return follows
      },
    } as unknown as MeshNode)
    kept = []
    const fixer = { ...noHands, keep: (...one: [string, SignedStatement]) => kept.push(one), hello: async () => [] }
    notes = new FixNotes(NODE, publisher, silentLog, fixer)
  })

  const take = async (one: unknown) => {
    heard.push(one)
    return { accepted: true, why: '' }
  }
  const room = { onDecision: take, onPermit: take, onRefusal: take } as unknown as RemediationRoom
  const hear = (signer: string, parts: Partial<Permit> = {}) => {
    const bytes = encodeNote({ ...permit, ...parts })
    return notes.hear(room, statementOf(signer, permitTopic(planId), bytes))
  }

  it('of a leader are taken in, and of another aggregator only while nobody leads', () => {
    follows = { leader: 'aggregator-1', heardAt: 90_000 }
    expect(hear('aggregator-1')).toBe(true)
    expect(() => hear('aggregator-2')).toThrow('a permit of aggregator-2, but aggregator-1 leads')
    follows = { leader: 'aggregator-1', heardAt: 79_999 }
    expect(hear('aggregator-2')).toBe(true)
    expect(heard).toEqual([permit, permit])
  })

  it('go to the fixer as they were signed', () => {
    hear('aggregator-1')
    expect(kept).toEqual([[permit.id, statementOf('aggregator-1', permitTopic(planId), encodeNote(permit))]])
  })

  it('to another node are passed over', () => {
    expect(hear('aggregator-1', { node: 'node-8' })).toBe(true)
    expect([heard, kept]).toEqual([[], []])
  })

  it('that are none, or not what they should be, are not taken in', () => {
    const bytes = encodeNote(permit)
    expect(notes.hear(room, statementOf('aggregator-1', 'other', bytes))).toBe(false)
    expect(() => notes.hear(room, statementOf('aggregator-1', refusalTopic(planId), bytes))).toThrow()
    expect(heard).toEqual([])
  })

  it('ask for no longer than the answer could be used', () => {
    const request: PermitRequest = { node: NODE, planId, ...hashes, nonce, mode: 'auto' }
    notes.ask(request)
    expect(said).toMatchObject([{ topic: permitRequestTopic(planId), ttlMs: 30_000 }])
    expect(decodePermitRequest(NODE, said[0]?.topic ?? '', said[0]?.bytes ?? new Uint8Array())).toEqual(request)
  })

  it('tell whether somebody leads', () => {
    expect(notes.isLed).toBe(false)
    follows = { leader: 'aggregator-1', heardAt: 80_000 }
    expect(notes.isLed).toBe(true)
  })
})
