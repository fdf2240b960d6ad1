/** What a fixer has begun, on disk before it is begun: the plans hold the values from before, by which all is put back. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import type { Plan } from '../remediators/contract.ts'
import { planSchema } from '../remediators/schema.ts'

export interface FixRecord {
  readonly plan: Plan
  readonly permitId: string | null
  /** `begun` also when it failed: nobody knows how far it got. */
  readonly state: 'begun' | 'applied' | 'put-back'
  /** RFC 3339, for people. */
  readonly at: string
}

export interface FixRecords {
  /** The latest roster that a permit was checked by: an older one counts for nothing. */
  readonly epoch: number
  find(planId: string): FixRecord | undefined
  /** In place of the one of the same plan. When it resolves, it survives a crash of the machine. */
  put(record: FixRecord, epoch?: number): Promise<void>
  /** Of a plan by which nothing was changed this time: `before` is what was known of it, if anything. */
  takeBack(planId: string, before: FixRecord | undefined): Promise<void>
}

/** About one node; what is older than that was looked at long ago. */
const RECORDS_MAX = 1_000

const documentSchema = z.strictObject({
  format: z.literal(1),
  epoch: z.int().min(0),
  records: z.array(
    z.strictObject({
      plan: planSchema,
      permitId: z.string().nullable(),
      state: z.enum(['begun', 'applied', 'put-back']),
      at: z.string(),
    }),
  ),
})

/** In `stateDir`, which is made when it is missing. Rejects with a StarlingError when what is there is damaged. */
export async function openRecords(stateDir: string): Promise<FixRecords> {
  const path = join(stateDir, 'records.json')
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  let { epoch, records } = await load(path)
  const save = async (next: readonly FixRecord[], nextEpoch: number) => {
    const kept = next.slice(-RECORDS_MAX)
    await writeFileAtomically(path, JSON.stringify({ format: 1, epoch: nextEpoch, records: kept }))
    records = kept
    epoch = nextEpoch
  }
  const others = (planId: string) => records.filter(({ plan }) => plan.id !== planId)
  return {
    get epoch() {
      return epoch
    },
    find: (planId) => records.find(({ plan }) => plan.id === planId),
    put: (record, checkedBy = epoch) => save([...others(record.plan.id), record], checkedBy),
    takeBack: (planId, before) => save([...others(planId), ...(before === undefined ? [] : [before])], epoch),
  }
}

async function load(path: string): Promise<{ epoch: number; records: readonly FixRecord[] }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return { epoch: 0, records: [] }
  try {
    return documentSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new StarlingError(`${path} is damaged: ${messageOf(error)}`, {
      remedy: 'see in it what was begun, check that by hand, then delete the file',
      cause: error,
    })
  }
}
