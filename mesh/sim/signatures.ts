/** Stands in for Ed25519: a signature is good for the very object it was made for, by the one who made it. */
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
        signature.payload === payload,
    }
  }

  /** No two are alike: whoever passes answers on tells them apart by their bytes. */
  #sign(signer: string, purpose: Purpose, payload: unknown): Signature {
    const signature = new MadeSignature(SIGNATURE_BYTES)
    new DataView(signature.buffer).setFloat64(0, ++this.#made)
    return Object.assign(signature, { signer, purpose, payload })
  }
}
