/** Keeps on disk what detectors know, in the file `detectors` of the state directory. */
import { randomUUID } from 'node:crypto'
import { readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomically } from '../../common/atomic-file.ts'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Kept, KeptState } from './kept.ts'
import { findingSchema } from './report-note.ts'
import { decodeSample, encodePast } from './samples.ts'

export interface TrackStore {
  /** Empty before the first save, of another node, and when the file is damaged: then it is set aside and the log says so. */
  load(): Promise<KeptState>
  /** In one step; durable when it resolves. One at a time. */
  save(detectors: ReadonlyMap<string, Kept>): Promise<void>
}

export const FORMAT = 1
const FILE = 'detectors'
/** A single place, so that a disk that spoils every write cannot fill up with copies. */
const SET_ASIDE = 'detectors.refused'
/** Far above what detectors that keep to their bounds can write. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

const time = z.number()
const text = z.string().max(1_000)
const sighting = z.strictObject({
  reason: text,
  cause: text,
  firstMs: time,
  lastMs: time,
  since: z.iso.datetime(),
  sustained: z.boolean(),
  goneMs: time.exactOptional(),
  summary: text,
  evidence: findingSchema.shape.evidence,
})
const kept = z.strictObject({
  version: text,
  options: z.string(),
  lookedMs: time,
  track: z.strictObject({
    sightings: z.array(sighting).max(256),
    flaps: z.array(z.strictObject({ key: z.string(), wentMs: z.array(time).max(16) })).max(256),
    reported: z.array(findingSchema).max(64),
  }),
  past: z.array(z.base64()).max(10),
})
const document = z.strictObject({
  format: z.literal(FORMAT),
  node: z.string(),
  boot: z.string(),
  detectors: z.record(z.string(), kept),
})

export async function openTrackStore(stateDir: string, node: string, log: Log): Promise<TrackStore> {
  const path = join(stateDir, FILE)
  const boot = await bootId()
  return {
    async load() {
      try {
        const found = await readBounded(path)
        if (found === undefined) return { isSameBoot: false, detectors: new Map() }
        const state = document.parse(JSON.parse(found))
        if (state.node !== node) return { isSameBoot: false, detectors: new Map() }
        const entries = Object.entries(state.detectors).map(([name, each]) => {
          return [name, { ...each, past: each.past.map(decodeSample) }] as const
        })
        return { isSameBoot: state.boot === boot, detectors: new Map(entries) }
      } catch (error) {
        const keptAs = join(stateDir, SET_ASIDE)
        await rename(path, keptAs).catch(() => {})
        log.warn({ err: messageOf(error), keptAs }, 'what detectors knew is lost: the file is damaged and set aside')
        return { isSameBoot: false, detectors: new Map() }
      }
    },
    async save(detectors) {
      const entries = [...detectors].map(([name, each]) => [name, { ...each, past: encodePast(each.past) }])
      const state = { format: FORMAT, node, boot, detectors: Object.fromEntries(entries) }
      await writeFileAtomically(path, JSON.stringify(state))
    },
  }
}

/** Where there is none, no two starts of this program are of the same boot. */
async function bootId(): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => randomUUID())
  return id.trim()
}

/** Undefined when there is no such file. */
async function readBounded(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes`)
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
