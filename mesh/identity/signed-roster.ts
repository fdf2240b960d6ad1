/** The roster as it is kept on disk and handed on: signed by an aggregator, named by its hash. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Roster } from '../core/model.ts'
import { decodeValue, encodeValue } from '../wire/codec.ts'
import { readCertificate } from './enrolment.ts'
import { signedBytes, verifierFor } from './keyring.ts'
import type { KeyPair } from './keys.ts'

const memberSchema = z.strictObject({
  node: z.string().min(1).max(253),
  serial: z.int().min(1),
  zone: z.string().max(253),
  roles: z.array(z.string().max(63)).max(32),
  pool: z.string().min(1).max(63).optional(),
  peerId: z.string().min(1).max(128),
  hosts: z.array(z.string().max(45)).min(1).max(8),
  meshPort: z.int().min(1).max(65_535),
  kubeletPort: z.int().min(0).max(65_535),
  uid: z.string().min(1).max(64).optional(),
})

const rosterSchema = z.strictObject({
  mesh: z.string().min(1).max(253),
  epoch: z.int().min(1),
  previous: z.string().max(64),
  seed: z.string().min(1).max(128),
  members: z.array(memberSchema).max(65_536),
  aggregators: z.array(memberSchema).min(1).max(16),
})

const signedRosterSchema = z.strictObject({
  roster: rosterSchema,
  /** The signing aggregator's enrolment: it ties the roster to the mesh CA. */
  certificate: z.instanceof(Uint8Array),
  signature: z.instanceof(Uint8Array),
})

export function rosterHash(roster: Roster): string {
  return createHash('sha256').update(encodeValue(roster)).digest('hex')
}

/** `certificate` is the enrolment of the aggregator whose `keys` sign. */
export function signRoster(keys: KeyPair, certificate: Uint8Array, roster: Roster): Uint8Array {
  return encodeValue({ roster, certificate, signature: keys.sign(signedBytes(roster.mesh, 'roster', roster)) })
}

/** Throws an Error saying what is wrong: not a roster, of another mesh, or not signed by an enrolled aggregator. */
export function readRoster(bytes: Uint8Array, caKey: Uint8Array, mesh: string, wallMs: number): Roster {
  const { roster, certificate, signature } = decodeValue(signedRosterSchema, bytes)
  if (roster.mesh !== mesh) throw new Error(`the roster is of mesh ${roster.mesh}, not of ${mesh}`)
  const signer = readCertificate(certificate, caKey, mesh, wallMs)
  const isAggregator = roster.aggregators.some(({ node, peerId }) => node === signer.node && peerId === signer.peerId)
  if (!isAggregator || !verifierFor(roster)(signer.node, 'roster', roster, signature)) {
    throw new Error(`the roster of epoch ${roster.epoch} is not signed by one of its aggregators`)
  }
  return roster
}
