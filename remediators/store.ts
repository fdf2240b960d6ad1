/** Keeps the state of fixes on disk, so that a crash at any moment leaves either the old or the new one. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { type Duration, isDuration } from '../common/duration.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import { permitSchema } from './notes.ts'
import { remediationSchema } from './schema.ts'
import { type Case, EMPTY_FIX_STATE, type Fix, type FixState, type Stage } from './state.ts'

export interface FixStore {
  /** Empty before the first save. Throws a StarlingError when the file is damaged: then nobody knows what was begun. */
  load(): Promise<FixState>
  /** When it resolves, `state` survives a crash of the machine. */
  save(state: FixState): Promise<void>
}

const FORMAT = 2

const id = z.string()
const approval = z.strictObject({ decisionId: id, by: z.string(), expiresMs: z.number().nullable() })

const waiting = z.strictObject({
  kind: z.literal('waiting'),
  approval: approval.nullable(),
  confirmed: z.boolean(),
  notBeforeMs: z.number(),
  unanswered: z.number(),
  aloneAtMs: z.number().nullable(),
})

const stage: z.ZodType<Stage> = z.discriminatedUnion('kind', [
  waiting,
  z.strictObject({ kind: z.literal('asking'), waiting, nonce: z.string(), askedMs: z.number() }),
  z.strictObject({
    kind: z.literal('permitted'),
    waiting,
    permit: permitSchema.nullable(),
    beginByMs: z.number(),
  }),
  z.strictObject({ kind: z.literal('applying'), waiting }),
  z.strictObject({ kind: z.literal('verifying'), looks: z.number(), retryAtMs: z.number().nullable() }),
  z.strictObject({ kind: z.literal('reverting'), why: z.string() }),
  z.strictObject({ kind: z.literal('ended') }),
])

const fix: z.ZodType<Fix> = z.strictObject({
  remediation: remediationSchema,
  stage,
  windows: z.array(
    z.strictObject({
      cron: z.string(),
      duration: z.custom<Duration>((text) => typeof text === 'string' && isDuration(text)),
      timeZone: z.string(),
    }),
  ),
  timeoutMs: z.number(),
  diagnostics: z.string().nullable(),
})

const fault = { detector: z.string(), reason: z.string(), cause: z.string() }

/** What states of before it was kept have not. */
const known: z.ZodType<Case> = z.strictObject({
  ...fault,
  fault: z.union([z.enum(['gone', 'there']), z.strictObject({ cameMs: z.number() })]).default('there'),
  contest: z.strictObject({ what: z.string(), why: z.string(), since: z.string() }).nullable().default(null),
  tries: z.array(
    z.strictObject({
      remediator: z.string(),
      atMs: z.number(),
      cameMs: z.number().nullable().default(null),
      outcome: z.enum(['open', 'helped', 'no-effect', 'failed']),
    }),
  ),
  rest: z.strictObject({ sinceMs: z.number(), planId: id.nullable() }).nullable(),
  escalated: z.boolean(),
  last: remediationSchema,
})

const document = z.strictObject({
  format: z.literal(FORMAT),
  fixes: z.array(fix),
  cases: z.array(known),
  inspections: z.array(z.strictObject({ ...fault, remediator: z.string() })),
  mended: z
    .array(z.strictObject({ what: z.string(), before: z.string(), verifiedMs: z.number(), setBack: z.number() }))
    .default([]),
  usedDecisions: z.array(id),
  usedPermits: z.array(id),
  clockMs: z.number(),
})

/** The state in `text`. Throws when it is not one. */
export function decodeFixState(text: string): FixState {
  const { format: _, ...state } = document.parse(JSON.parse(text))
  return state
}

export function encodeFixState(state: FixState): string {
  return JSON.stringify({ format: FORMAT, ...state })
}

/** In `<stateDir>/fixes/`, which is made when it is missing. */
export function createFixStore(stateDir: string): FixStore {
  const path = join(stateDir, 'fixes', 'state.json')
  return {
    async load() {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null
        throw error
      })
      if (text === null) return EMPTY_FIX_STATE
      try {
        return decodeFixState(text)
      } catch (error) {
        throw new StarlingError(`${path} is damaged: ${messageOf(error)}`, {
          remedy: 'see in it which fix was in progress, check that by hand, then delete the file',
          cause: error,
        })
      }
    },
    save: (state) => writeFileAtomically(path, encodeFixState(state)),
  }
}
