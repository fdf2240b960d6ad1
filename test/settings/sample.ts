/** A mesh key and a document for the tests of settings. */
import { generateKeyPairSync, sign as signBytes, verify as verifyBytes } from 'node:crypto'
import type { SettingsDocument } from '../../settings/document.ts'
import type { Sign, Verify } from '../../settings/signed.ts'

export function meshKey(): { readonly sign: Sign; readonly verify: Verify } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    sign: (bytes) => new Uint8Array(signBytes(null, bytes, privateKey)),
    verify: (bytes, signature) => verifyBytes(null, bytes, publicKey, signature),
  }
}

export function sampleDocument(version = 1): SettingsDocument {
  return {
    version,
    mesh: 'prod-a',
    detectors: { conntrack: { every: '30s', options: { warnRatio: 0.7 } }, 'clock-skew': { enabled: false } },
    remediators: { sysctl: { mode: 'approve' } },
  }
}
