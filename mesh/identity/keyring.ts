/** The core's keyring on real keys: everything signed names mesh, protocol version and purpose. */
import type { Keyring, Member, Purpose, Roster } from '../core/model.ts'
import { encodeValue } from '../wire/codec.ts'
import { type KeyPair, publicKeyOfPeer, verifierOf } from './keys.ts'

/** Part of every signed byte string: a signature made under one version of the rules means nothing under another. */
export const PROTOCOL_VERSION = 1

/** The bytes that are signed. `purpose` keeps a signature from being passed off as one of another kind. */
export function signedBytes(mesh: string, purpose: string, payload: unknown): Uint8Array {
  return encodeValue({ mesh, protocol: PROTOCOL_VERSION, purpose: `starling/${purpose}`, payload })
}

/** Signs as `keys`; verifies against the keys of everyone in the roster, which may be replaced by a later one. */
export function createKeyring(keys: KeyPair, roster: Roster): Keyring & { advance(roster: Roster): void } {
  const { mesh } = roster
  let verify = verifierFor(roster)
  return {
    sign: (purpose, payload) => keys.sign(signedBytes(mesh, purpose, payload)),
    verify: (...signed) => verify(...signed),
    advance: (later) => {
      verify = verifierFor(later)
    },
  }
}

/** Verifies without a key of one's own, as `starling verify` does. */
export function verifierFor(roster: Roster): Keyring['verify'] {
  const { mesh } = roster
  const members = new Map<string, Member>(
    [...roster.members, ...roster.aggregators].map((member) => [member.node, member]),
  )
  const verifiers = new Map<string, ReturnType<typeof verifierOf>>()
  return (signer: string, purpose: Purpose, payload: unknown, signature: Uint8Array): boolean => {
    const member = members.get(signer)
    if (member === undefined) return false
    const verify = verifiers.get(signer) ?? verifierOf(publicKeyOfPeer(member.peerId))
    verifiers.set(signer, verify)
    return verify(signedBytes(mesh, purpose, payload), signature)
  }
}
