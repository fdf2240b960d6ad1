/**
 * The mesh's own certificates. The mesh CA signs who a peer id is: node name, serial, zone, roles, until when. Peers check
 * it offline with the CA's public key, which every agent is given with its identity.
 */
import { z } from 'zod'
import { decodeValue, encodeValue } from '../wire/codec.ts'
import { signedBytes } from './keyring.ts'
import { type KeyPair, verifierOf } from './keys.ts'

/** Clocks of two machines may differ by this much before a certificate's dates are held against it. */
const CLOCK_TOLERANCE_MS = 600_000

const enrolmentSchema = z.strictObject({
  mesh: z.string().min(1).max(253),
  node: z.string().min(1).max(253),
  serial: z.int().min(1),
  peerId: z.string().min(1).max(128),
  zone: z.string().max(253),
  roles: z.array(z.string().max(63)).max(32),
  /** Wall clock, ms since 1970. */
  notAfterMs: z.number(),
})

export type Enrolment = z.infer<typeof enrolmentSchema>

const certificateSchema = z.strictObject({ enrolment: enrolmentSchema, signature: z.instanceof(Uint8Array) })

export function issueCertificate(ca: KeyPair, enrolment: Enrolment): Uint8Array {
  return encodeValue({ enrolment, signature: ca.sign(signedBytes(enrolment.mesh, 'enrolment', enrolment)) })
}

/** Who a certificate says its holder is. Throws an Error saying what is wrong with it. */
export function readCertificate(bytes: Uint8Array, caKey: Uint8Array, mesh: string, wallMs: number): Enrolment {
  const { enrolment, signature } = decodeValue(certificateSchema, bytes)
  if (enrolment.mesh !== mesh) throw new Error(`the certificate is of mesh ${enrolment.mesh}, not of ${mesh}`)
  if (!verifierOf(caKey)(signedBytes(mesh, 'enrolment', enrolment), signature)) {
    throw new Error(`the certificate of ${enrolment.node} is not signed by the CA of ${mesh}`)
  }
  if (wallMs > enrolment.notAfterMs + CLOCK_TOLERANCE_MS) {
    throw new Error(`the certificate of ${enrolment.node} expired at ${new Date(enrolment.notAfterMs).toISOString()}`)
  }
  return enrolment
}
