/** A verdict checked offline, from files alone. */
import { z } from 'zod'
import { type Verification, verifyCertificate } from '../core/certificate.ts'
import type { Certificate } from '../core/model.ts'
import { DEFAULT_TIMING } from '../core/timing.ts'
import { decodeValue } from '../wire/codec.ts'
import { certificateSchema } from '../wire/schema.ts'
import { verifierFor } from './keyring.ts'
import { rawPublicKey } from './keys.ts'
import { readRoster, rosterHash } from './signed-roster.ts'

export interface VerdictFiles {
  readonly certificate: Uint8Array
  /** The signed roster of the certificate's epoch, which has this hash. */
  roster(hash: string): Uint8Array
  /** The mesh CA's public key, PEM. */
  readonly ca: Uint8Array
  readonly mesh: string
  /** Wall clock, ms since 1970, at which the roster's signer must still have been enrolled. */
  readonly wallMs: number
}

/** Throws an Error when one of the files is not what it should be; a verdict that does not hold is an answer. */
export function verifyVerdict(files: VerdictFiles): {
  readonly certificate: Certificate
  readonly verification: Verification
} {
  const certificate = within('the certificate', () => decodeValue(certificateSchema, files.certificate))
  const caKey = within("the CA's key", () => rawPublicKey(files.ca))
  const roster = within('the roster', () =>
    readRoster(files.roster(certificate.rosterHash), caKey, files.mesh, files.wallMs),
  )
  const keyring = { verify: verifierFor(roster) }
  return {
    certificate,
    verification: verifyCertificate(certificate, roster, rosterHash(roster), keyring, DEFAULT_TIMING),
  }
}

function within<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const why =
      error instanceof z.ZodError ? 'it is something else' : error instanceof Error ? error.message : String(error)
    throw new Error(`${what} cannot be used: ${why}`, { cause: error })
  }
}
