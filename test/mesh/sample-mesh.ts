/** A made-up mesh for tests: rosters of any size, and keys that need no cryptography. */
import { createHash } from 'node:crypto'
import type { Keyring, Member, Now, Roster } from '../../mesh/core/model.ts'
import { encodeValue } from '../../mesh/wire/codec.ts'

export const LEADER = 'aggregator-1'
export const FIRST_LIFE = { serial: 1, boot: 1, refutations: 0 }

export function sampleMember(node: string, zone = 'zone-1', parts: Partial<Member> = {}): Member {
  const member = { node, serial: 1, zone, roles: [], peerId: node, hosts: ['127.0.0.1'] }
  return { ...member, meshPort: 7946, kubeletPort: 10_250, ...parts }
}

/** `nodes` members, dealt over `zones` in turn, and one aggregator. */
export function sampleRoster({ nodes, zones = 3, seed = 'seed' }: { nodes: number; zones?: number; seed?: string }) {
  const members = Array.from({ length: nodes }, (_, index) => sampleMember(nodeName(index), `zone-${index % zones}`))
  return rosterOf(members, seed)
}

export function rosterOf(members: readonly Member[], seed = 'seed'): Roster {
  return { mesh: 'sample', epoch: 7, previous: '', seed, members, aggregators: [sampleMember(LEADER, '')] }
}

/** Padded, so that the order of the numbers is the order of the names, as a roster has it. */
export function nodeName(index: number): string {
  return `node-${String(index + 1).padStart(4, '0')}`
}

/** A keyring whose signatures are hashes: good for exactly one signer, purpose and payload. */
export function standInKeyring(node: string): Keyring {
  const mark = (signer: string, purpose: string, payload: unknown) =>
    new Uint8Array(createHash('sha512').update(encodeValue({ signer, purpose, payload })).digest())
  return {
    sign: (purpose, payload) => mark(node, purpose, payload),
    verify: (signer, purpose, payload, signature) => Buffer.compare(mark(signer, purpose, payload), signature) === 0,
  }
}

export function momentAt(ms: number): Now {
  return { ms, wallMs: 1_700_000_000_000 + ms }
}
