/**
 * Settings that a person decided on, as they stand on record: whoever leads next begins them, where their leader ended before
 * the mesh heard of them.
 */
import { z } from 'zod'
import type { SettingsDocument } from '../settings/document.ts'
import { type RolloutSettings, rolloutPart } from '../settings/stages.ts'
import type { Event } from './model.ts'
import type { SettingsLedger } from './settings-ledger.ts'

const withDecided = z.object({ decided: z.object({ signed: z.base64(), rollout: rolloutPart }) })

/** What an event tells of them. */
export type DecidedData = z.infer<typeof withDecided>

/** Settings that are to begin, and how they reach the nodes, in place of what they say themselves. */
export interface Decided {
  readonly document: SettingsDocument
  readonly rollout: RolloutSettings
}

export const AT_ONCE: RolloutSettings = { stages: ['100%'], soak: '0s' }

/** Throws UsageError when they are too large. */
export function dataOf(
  document: SettingsDocument,
  rollout: RolloutSettings,
  ledger: Pick<SettingsLedger, 'sign'>,
): DecidedData {
  return { decided: { signed: Buffer.from(ledger.sign(document)).toString('base64'), rollout } }
}

/** Undefined for an event of anything else, and for what no aggregator of this mesh signed. */
export function decidedIn(
  { kind, data }: Pick<Event, 'kind' | 'data'>,
  ledger: Pick<SettingsLedger, 'read'>,
): Decided | undefined {
  const told = kind === 'settings' ? withDecided.safeParse(data).data?.decided : undefined
  const document = told && ledger.read(Buffer.from(told.signed, 'base64'))
  return document && { document, rollout: told.rollout }
}

/** Of two that wait the one of the later version. */
export function later(a: Decided | undefined, b: Decided): Decided {
  return a !== undefined && a.document.version >= b.document.version ? a : b
}
