/**
 * Ed25519 keys. One key is a node's identity twice over: libp2p derives its peer id from it, and it signs what the node
 * states. Raw 32-byte seeds and public keys are what is stored and sent.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'

export interface KeyPair {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  /** For libp2p, which wants its own object for the same key. */
  readonly libp2pKey: PrivateKey
  readonly peerId: string
  sign(bytes: Uint8Array): Uint8Array
}

/** RFC 8410: the DER header before a raw Ed25519 seed, and before a raw public key. */
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

export function newSeed(): Uint8Array {
  return randomBytes(32)
}

export async function keyPairFromSeed(seed: Uint8Array): Promise<KeyPair> {
  const libp2pKey = await generateKeyPairFromSeed('Ed25519', seed)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' })
  return {
    seed,
    publicKey: libp2pKey.publicKey.raw,
    libp2pKey,
    peerId: peerIdFromPrivateKey(libp2pKey).toString(),
    sign: (bytes) => sign(null, bytes, privateKey),
  }
}

/** The key inside a peer id: an Ed25519 peer id is the key itself, wrapped. Throws for any other kind of id. */
export function publicKeyOfPeer(peerId: string): Uint8Array {
  const { publicKey } = peerIdFromString(peerId)
  if (publicKey?.type !== 'Ed25519') throw new Error(`peer id ${peerId} holds no Ed25519 key`)
  return publicKeyFromRaw(publicKey.raw).raw
}

/** A verifier for one public key; parsing the key is dearer than keeping it. */
export function verifierOf(publicKey: Uint8Array): (bytes: Uint8Array, signature: Uint8Array) => boolean {
  const key: KeyObject = createPublicKey({ key: spkiOf(publicKey), format: 'der', type: 'spki' })
  return (bytes, signature) => signature.length === 64 && verify(null, bytes, key, signature)
}

/** A raw public key in the form that node:crypto reads. */
export function spkiOf(publicKey: Uint8Array): Buffer {
  return Buffer.concat([SPKI_HEADER, publicKey])
}

/** The raw key in a PEM public key. Throws an Error for anything but an Ed25519 one. */
export function rawPublicKey(pem: Uint8Array): Uint8Array {
  const key = createPublicKey(Buffer.from(pem))
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 public key')
  const { x } = key.export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url')
}
