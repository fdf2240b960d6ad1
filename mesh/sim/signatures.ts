/**
 * Stands in for Ed25519: a signature is good for what it was made for, by the one who made it. That is nearly always the
 * very same object; only whoever counts a certificate again has put it together anew.
 */
import type { Keyring, Purpose, Signature } from '../core/model.ts'

/** As long as an Ed25519 signature, so that messages have their true size. */
const SIGNATURE_BYTES = 64

class MadeSignature extends Uint8Array {
  signer = ''
  purpose: Purpose | undefined
  payload: unknown
}

export class Signatures {
  #made = 0

  keyringOf(node: string): Keyring {
    return {
      sign: (purpose, payload) => this.#sign(node, purpose, payload),
      verify: (signer, purpose, payload, signature) =>
        signature instanceof MadeSignature &&
        signature.signer === signer &&
        signature.purpose === purpose &&
        (signature.payload === payload || isAlike(signature.payload, payload)),
    }
  }

  /** No two are alike: whoever passes answers on tells them apart by their bytes. */
  #sign(signer: string, purpose: Purpose, payload: unknown): Signature {
    const signature = new MadeSignature(SIGNATURE_BYTES)
    new DataView(signature.buffer).setFloat64(0, ++this.#made)
    return Object.assign(signature, { signer, purpose, payload })
  }
}

/** Plain data with the same content, whatever the order of the keys. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const [mine, theirs] = [Object.entries(a), new Map(Object.entries(b))]
  return mine.length === theirs.size && mine.every(([key, value]) => theirs.has(key) && isAlike(value, theirs.get(key)))
}
