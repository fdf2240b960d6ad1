/** Whom a node believes what is said about its fixes, and what it says itself. */
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../common/log.ts'
import type { Logger } from '../../common/pino-log.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import { FixNotes } from '../../node-agent/fix-notes.ts'
import { Publisher } from '../../node-agent/publisher.ts'
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

describe('notes about fixes', () => {
  let heard: unknown[]
  let said: { topic: string; bytes: Uint8Array; ttlMs: number }[]
  let follows: MeshNode['follows']
  let notes: FixNotes
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
    notes = new FixNotes(NODE, publisher, silentLog as Logger)
  })

  const take = async (one: unknown) => {
    heard.push(one)
    return { accepted: true, why: '' }
  }
  const room = { onDecision: take, onPermit: take, onRefusal: take } as unknown as RemediationRoom
  const hear = (signer: string, parts: Partial<Permit> = {}) => {
    const bytes = encodeNote({ ...permit, ...parts })
    return notes.hear(room, signer, { kind: 'note', topic: permitTopic(planId), bytes })
  }

  it('of a leader are taken in, and of another aggregator only while nobody leads', () => {
    follows = { leader: 'aggregator-1', heardAt: 90_000 }
    expect(hear('aggregator-1')).toBe(true)
    expect(() => hear('aggregator-2')).toThrow('a permit of aggregator-2, but aggregator-1 leads')
    follows = { leader: 'aggregator-1', heardAt: 79_999 }
    expect(hear('aggregator-2')).toBe(true)
    expect(heard).toEqual([permit, permit])
  })

  it('to another node are passed over', () => {
    expect(hear('aggregator-1', { node: 'node-8' })).toBe(true)
    expect(heard).toEqual([])
  })

  it('that are none, or not what they should be, are not taken in', () => {
    const bytes = encodeNote(permit)
    expect(notes.hear(room, 'aggregator-1', { kind: 'note', topic: 'other', bytes })).toBe(false)
    expect(() => notes.hear(room, 'aggregator-1', { kind: 'note', topic: refusalTopic(planId), bytes })).toThrow()
    expect(heard).toEqual([])
  })

  it('ask for no longer than the answer could be used', () => {
    const request: PermitRequest = { node: NODE, planId, ...hashes, nonce, mode: 'auto' }
    notes.ask(request)
    expect(said).toMatchObject([{ topic: permitRequestTopic(planId), ttlMs: 30_000 }])
    expect(decodePermitRequest(NODE, said[0]?.topic ?? '', said[0]?.bytes ?? new Uint8Array())).toEqual(request)
  })

  it('do not tell how many neighbours have the same fault, and whether somebody leads they do', () => {
    expect(notes.around()).toEqual({ isLed: false, neighbours: undefined })
    follows = { leader: 'aggregator-1', heardAt: 80_000 }
    expect(notes.around()).toEqual({ isLed: true, neighbours: undefined })
  })
})
