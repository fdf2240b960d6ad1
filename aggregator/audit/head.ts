/** A head of the chain, signed by the aggregator that wrote it: what stood before it can not be told otherwise later. */
import { signedBytes } from '../../mesh/identity/keyring.ts'
import { publicKeyOfPeer, verifierOf } from '../../mesh/identity/keys.ts'

export interface Head {
  /** Of all heads of this store, from 1: one that is missing is missed. */
  readonly number: number
  /** Place of the first event of the chain. */
  readonly first: number
  /** Place of the last event that it covers. */
  readonly seq: number
  /** SHA-256 of that event's link, hex. */
  readonly hash: string
  /** RFC 3339. */
  readonly at: string
  /** The aggregator. */
  readonly node: string
}

export interface SignedHead extends Head {
  /** Peer id of the key that signed: it is the public key, wrapped. */
  readonly signer: string
  /** Ed25519, base64. */
  readonly signature: string
}

/** Who signs heads, and for which mesh. */
export interface HeadSigner {
  readonly mesh: string
  readonly node: string
  readonly peerId: string
  sign(bytes: Uint8Array): Uint8Array
}

export function signHead(signer: HeadSigner, head: Omit<Head, 'node'>): SignedHead {
  const whole: Head = { ...head, node: signer.node }
  const signature = Buffer.from(signer.sign(bytesOf(signer.mesh, whole))).toString('base64')
  return { ...whole, signer: signer.peerId, signature }
}

/** As a row of a database has it, in columns of these names. */
export function headIn(row: Readonly<Record<string, unknown>>): SignedHead {
  return {
    number: Number(row.number),
    first: Number(row.first),
    seq: Number(row.seq),
    hash: String(row.hash),
    at: String(row.at),
    node: String(row.node),
    signer: String(row.signer),
    signature: String(row.signature),
  }
}

/** Whether the key that it names signed it, for this mesh. Whose key that is, is another question. */
export function isSigned(mesh: string, head: SignedHead): boolean {
  try {
    const verify = verifierOf(publicKeyOfPeer(head.signer))
    return verify(bytesOf(mesh, head), Buffer.from(head.signature, 'base64'))
  } catch {
    // It names no key at all.
    return false
  }
}

function bytesOf(mesh: string, { number, first, seq, hash, at, node }: Head): Uint8Array {
  return signedBytes(mesh, 'audit-head', { number, first, seq, hash, at, node })
}
