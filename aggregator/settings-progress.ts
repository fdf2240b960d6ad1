/** How far settings have come, as it is kept through a restart: what the mesh was told last, and what it is judged by. */
import { z } from 'zod'
import { type Announcement, decodeAnnouncement, encodeAnnouncement } from '../settings/notes.ts'
import type { Journal } from './model.ts'
import type { Before } from './rollout-rules.ts'
import type { SettingsView } from './settings-model.ts'

const FACT = 'settings/progress'

export interface Progress {
  readonly said: Announcement
  /** Since when its stage is watched, wall clock ms: for people, since clocks are set. */
  readonly since: number
  /** How the nodes were before; null where another aggregator saw it begin, until a stage of it ended well. */
  readonly before: Before | null
  readonly last: SettingsView['last']
}

/** Of settings that nothing came before. */
export const AT_FIRST = { since: 0, before: null, last: null } as const

/** What became of those that were on their way when a later version came; null where none were. */
export function replacedBy(version: number, next: Announcement['next']): SettingsView['last'] {
  return next && { version: next.version, outcome: 'replaced', why: `version ${version} came` }
}

const kept = z.strictObject({
  said: z.string(),
  since: z.number(),
  before: z.strictObject({ down: z.array(z.string()), findings: z.record(z.string(), z.array(z.string())) }).nullable(),
  last: z
    .strictObject({ version: z.int(), outcome: z.enum(['done', 'halted', 'replaced']), why: z.string() })
    .nullable(),
})

/** Undefined before anything was. Throws an Error when the store holds something else there. */
export function readProgress(store: Journal): Progress | undefined {
  const fact = store.readFact(FACT)
  if (fact === null) return undefined
  const { said, ...rest } = kept.parse(JSON.parse(fact))
  return { said: decodeAnnouncement(Buffer.from(said, 'base64')), ...rest }
}

/** On disk when it returns. */
export function writeProgress(store: Journal, { said, ...rest }: Progress): void {
  store.writeFact(FACT, JSON.stringify({ said: Buffer.from(encodeAnnouncement(said)).toString('base64'), ...rest }))
}
