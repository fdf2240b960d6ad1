/** Keeps the state of fixes on disk, so that a crash at any moment leaves either the old or the new one. */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import { remediationSchema } from './schema.ts'
import { EMPTY_FIX_STATE, type FixState, type Stage } from './state.ts'

export interface FixStore {
  /** Empty before the first save. Throws a StarlingError when the file is damaged: then nobody knows what was begun. */
  load(): Promise<FixState>
  /** When it resolves, `state` survives a crash of the machine. */
  save(state: FixState): Promise<void>
}

const FORMAT = 1

const approval = z.strictObject({ decisionId: z.string(), by: z.string(), receivedMs: z.number(), ttlMs: z.number() })

const stage: z.ZodType<Stage> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('waiting'), approval: approval.nullable() }),
  z.strictObject({ kind: z.literal('applying') }),
  z.strictObject({ kind: z.literal('verifying'), looks: z.number(), retryAtMs: z.number().nullable() }),
  z.strictObject({ kind: z.literal('reverting'), why: z.string(), outcome: z.enum(['failed', 'reverted']) }),
  z.strictObject({ kind: z.literal('ended'), atMs: z.number() }),
])

const document = z.strictObject({
  format: z.literal(FORMAT),
  fixes: z.array(z.strictObject({ remediation: remediationSchema, stage })),
  usedDecisions: z.array(z.string()),
})

/** The state in `text`. Throws when it is not one. */
export function decodeFixState(text: string): FixState {
  const { fixes, usedDecisions } = document.parse(JSON.parse(text))
  return { fixes, usedDecisions }
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
