import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SettingsDocument } from '../../settings/document.ts'
import {
  acceptSettings,
  bytesToSign,
  encodeSettings,
  SIGNED_SETTINGS_BYTES_MAX,
  type SignedSettings,
  signSettings,
} from '../../settings/signed.ts'
import { meshKey, sampleDocument } from './sample.ts'

const key = meshKey()
const current = signSettings(sampleDocument(3), key.sign)

function offer(candidate: SignedSettings | Uint8Array, held: SignedSettings | null = current) {
  const bytes = candidate instanceof Uint8Array ? candidate : encodeSettings(candidate)
  return acceptSettings(held, bytes, 'prod-a', key.verify)
}

function refusalOf(candidate: SignedSettings | Uint8Array): string {
  const answer = offer(candidate)
  return answer.accepted ? 'accepted' : answer.reason
}

/** Nothing is wrong with it but its size. */
function hugeDocument() {
  return {
    ...sampleDocument(4),
    detectors: { conntrack: { options: { note: 'x'.repeat(SIGNED_SETTINGS_BYTES_MAX) } } },
  }
}

describe('the bytes that are signed', () => {
  test('do not depend on the order in which keys were written', () => {
    const { version, mesh, detectors, remediators } = sampleDocument()
    const reordered = { remediators, detectors, mesh, version } as ReturnType<typeof sampleDocument>
    expect(bytesToSign(reordered)).toEqual(bytesToSign(sampleDocument()))
  })

  test('differ for another mesh and for another value', () => {
    const bytes = Buffer.from(bytesToSign(sampleDocument()))
    expect(bytes.equals(bytesToSign({ ...sampleDocument(), mesh: 'prod-b' }))).toBe(false)
    expect(bytes.equals(bytesToSign({ ...sampleDocument(), version: 2 }))).toBe(false)
  })
})

describe('settings that are offered', () => {
  test('arrive with their policies and guards as they were signed, without the defaults of whoever reads them', () => {
    const policies: SettingsDocument['policies'] = [
      {
        name: 'params',
        selector: { all: true },
        match: [{ reason: 'KernelParamDiffers' }],
        ladder: [{ remediator: 'sysctl' }],
        windows: [{ cron: '0 22 * * *', duration: '8h', timeZone: 'Europe/Berlin' }],
      },
    ]
    const document: SettingsDocument = { ...sampleDocument(4), policies, guards: { attempts: 3 } }
    const answer = offer(signSettings(document, key.sign))
    expect(answer).toMatchObject({ accepted: true })
    expect(answer.accepted && answer.settings.document).toEqual(document)
  })

  test('are taken over when they are newer, whole and signed', () => {
    expect(offer(signSettings(sampleDocument(4), key.sign))).toMatchObject({
      accepted: true,
      settings: { document: sampleDocument(4) },
    })
  })

  test('are taken over by an agent that has none', () => {
    expect(offer(signSettings(sampleDocument(1), key.sign), null).accepted).toBe(true)
  })

  test('are refused when they are older, when they are the ones in force, and when they contradict them', () => {
    expect(refusalOf(signSettings(sampleDocument(2), key.sign))).toBe('older')
    expect(refusalOf(current)).toBe('same')
    expect(refusalOf(signSettings({ ...sampleDocument(3), detectors: {} }, key.sign))).toBe('conflict')
  })

  test('are refused with the signature of another key, of another document, or of another purpose', () => {
    expect(refusalOf(signSettings(sampleDocument(4), meshKey().sign))).toBe('unsigned')
    expect(refusalOf({ document: sampleDocument(4), signature: current.signature })).toBe('unsigned')
    const elsewhere = key.sign(encode({ purpose: 'starling/permit', document: sampleDocument(4) }))
    expect(refusalOf({ document: sampleDocument(4), signature: elsewhere })).toBe('unsigned')
  })

  test('are refused when they are for another mesh, whoever signed them', () => {
    expect(refusalOf(signSettings({ ...sampleDocument(4), mesh: 'prod-b' }, key.sign))).toBe('other-mesh')
  })

  test.each([
    ['no signature', encode({ document: sampleDocument(4) })],
    ['a short signature', encode({ document: sampleDocument(4), signature: new Uint8Array(3) })],
    ['an unknown key', encode({ document: { ...sampleDocument(4), extra: 1 }, signature: new Uint8Array(64) })],
    ['version 0', encode({ document: sampleDocument(0), signature: new Uint8Array(64) })],
    ['bytes that go on', Uint8Array.of(...encodeSettings(signSettings(sampleDocument(4), key.sign)), 0)],
    ['more bytes than are allowed', encodeSettings(signSettings(hugeDocument(), key.sign))],
    ['lists nested without end', new Uint8Array(SIGNED_SETTINGS_BYTES_MAX).fill(0x81)],
  ])('are refused as invalid with %s', (_what, bytes) => {
    expect(refusalOf(bytes)).toBe('invalid')
  })

  test('never make an agent throw, whatever the bytes, nor accept a version that was changed on the way', () => {
    const good = encodeSettings(signSettings(sampleDocument(4), key.sign))
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Uint8Array.from(good)
        bytes[at] = (bytes[at] ?? 0) ^ flip
        expect(offer(bytes).accepted).toBe(false)
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !offer(bytes).accepted))
  })
})
