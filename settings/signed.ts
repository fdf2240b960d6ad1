/**
 * Signing settings and deciding whether to take a received document over. No key is handled here: whoever calls brings
 * the signing and the checking of a signature along.
 */
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { messageOf } from '../common/errors.ts'
import { type SettingsDocument, settingsDocument } from './document.ts'

const PURPOSE = 'starling/settings'
const PROTOCOL = 1
const SIGNATURE_BYTES = 64

/** Bounds what a peer can make an agent hold and parse. */
export const SIGNED_SETTINGS_BYTES_MAX = 256 * 1024

/** A document with an Ed25519 signature of the mesh over `bytesToSign(document)`. */
export interface SignedSettings {
  readonly document: SettingsDocument
  readonly signature: Uint8Array
}

export type Sign = (bytes: Uint8Array) => Uint8Array
export type Verify = (bytes: Uint8Array, signature: Uint8Array) => boolean

export type RefusalReason = 'invalid' | 'other-mesh' | 'unsigned' | 'older' | 'conflict' | 'same'

/**
 * `same` is no complaint: gossip brings what one has again and again. `conflict` is another document under the version
 * that is in force: somebody signed that version twice.
 */
export type Acceptance =
  | { readonly accepted: true; readonly settings: SignedSettings }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly why: string }

/** The same bytes for the same document on every machine; purpose and mesh keep a signature from serving elsewhere. */
export function bytesToSign(document: SettingsDocument): Uint8Array {
  return encode({ purpose: PURPOSE, protocol: PROTOCOL, mesh: document.mesh, document }, rfc8949EncodeOptions)
}

export function signSettings(document: SettingsDocument, sign: Sign): SignedSettings {
  return { document, signature: sign(bytesToSign(document)) }
}

/** What travels and what is kept on disk. */
export function encodeSettings(settings: SignedSettings): Uint8Array {
  return encode(settings, rfc8949EncodeOptions)
}

/**
 * Whether an agent that has `current` takes over the settings in `candidate`, bytes from a peer or from disk. Whatever
 * the bytes are, this answers and never throws; on a refusal the current ones stay in force. `meshId` is the agent's own.
 */
export function acceptSettings(
  current: SignedSettings | null,
  candidate: Uint8Array,
  meshId: string,
  verify: Verify,
): Acceptance {
  const settings = decodeSettings(candidate)
  if (typeof settings === 'string') return refuse('invalid', settings)
  const { document, signature } = settings
  if (document.mesh !== meshId) return refuse('other-mesh', `they are for the mesh ${document.mesh}, this is ${meshId}`)
  if (!verify(bytesToSign(document), signature)) return refuse('unsigned', 'the signature is not one of this mesh')
  if (current === null) return { accepted: true, settings }
  const held = current.document.version
  if (document.version > held) return { accepted: true, settings }
  if (document.version < held) return refuse('older', `version ${document.version} is older than version ${held}`)
  const identical = Buffer.compare(bytesToSign(document), bytesToSign(current.document)) === 0
  return identical
    ? refuse('same', `version ${held} is in force already`)
    : refuse('conflict', `version ${held} is in force already, with other content`)
}

/** The settings in `bytes`, or why there are none. */
function decodeSettings(bytes: Uint8Array): SignedSettings | string {
  if (bytes.length > SIGNED_SETTINGS_BYTES_MAX)
    return `${bytes.length} bytes are over the limit of ${SIGNED_SETTINGS_BYTES_MAX}`
  try {
    const outer: unknown = decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    })
    if (typeof outer !== 'object' || outer === null || !('document' in outer && 'signature' in outer))
      return 'it holds no document and signature'
    if (!(outer.signature instanceof Uint8Array) || outer.signature.length !== SIGNATURE_BYTES)
      return 'its signature has the wrong form'
    const result = settingsDocument.safeParse(outer.document)
    if (result.success) return { document: result.data, signature: outer.signature }
    const issue = result.error.issues[0]
    return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`
  } catch (error) {
    // Not only broken CBOR: nesting deep enough to exhaust the stack ends here too.
    return `it cannot be decoded: ${messageOf(error)}`
  }
}

function refuse(reason: RefusalReason, why: string): Acceptance {
  return { accepted: false, reason, why: `settings refused: ${why}` }
}
