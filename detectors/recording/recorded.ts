/**
 * One look of a detector at a host, redacted: what may leave the host, and what a recorded host is made of. Whoever gets one
 * from another machine reads it through the schema, which holds paths to their plain form.
 */
import { posix } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import { z } from 'zod'
import { SEVERITIES } from '../contract.ts'
import { type HostRecord, recordSchema } from '../testing/fixture-host.ts'
import type { Recording } from './recording-host.ts'

/** Absolute and without `.`, `..`, empty names and NUL, so that joined to a folder it stays in there. */
const path = z.string().refine((text) => text.startsWith('/') && text === plainPath(text) && !text.includes('\0'))
/** Of what lies in a folder. */
const name = z.string().refine((text) => !/^\.{0,2}$/.test(text) && !/[/\0]/.test(text))

const hostSchema = z.strictObject({
  /** Text by path. */
  files: z.record(path, z.string()),
  /** Where each symbolic link points. */
  links: z.record(path, z.string().min(1)),
  /** Names by folder. */
  folders: z.record(path, z.array(name)),
  present: z.array(path),
  absent: z.array(path),
  unreadable: z.array(path),
  /** What is no file, as host.json has it. Checked and not changed: it must not be filled with defaults. */
  host: z.custom<HostRecord>((value) => recordSchema.safeParse(value).success),
})

export const recordedSchema = z.strictObject({
  detector: z.string().min(1).max(63),
  /** In words, as people are shown it. */
  touches: z.string(),
  /** Why it does not apply there, or could not look. */
  kind: z.enum(['judged', 'not-applicable', 'failed']),
  why: z.string(),
  /** Without evidence and facts: what was taken apart may hold a secret in a form that is not recognised any more. */
  judgements: z.array(
    z.strictObject({ severity: z.enum(SEVERITIES), reason: z.string(), cause: z.string(), summary: z.string() }),
  ),
  host: hostSchema,
})

export type RecordedHost = z.infer<typeof hostSchema>
export type Recorded = z.infer<typeof recordedSchema>

/** Redacts text by text, and lets other work go on in between: an agent has peers that wait for its beats. */
export async function redactRecording(
  recording: Recording,
  { node, missing }: { readonly node: string; readonly missing: HostRecord['missing'] },
  redact: (text: string) => string,
): Promise<RecordedHost> {
  const clean = async (text: string) => {
    await breath()
    return redact(text)
  }
  const cleanPath = (text: string) => plainPath(redact(text))
  const byPath = async (texts: ReadonlyMap<string, string>) => {
    const entries: [string, string][] = []
    for (const [at, text] of texts) entries.push([cleanPath(at), await clean(text)])
    return Object.fromEntries(entries)
  }
  const { files, links, folders, present, absent, unreadable, filesystems, ages, ...others } = recording
  const record = { missing, ...others, filesystems: Object.fromEntries(filesystems), ages: Object.fromEntries(ages) }
  const given = Object.entries(record).filter(([, part]) => Object.keys(part ?? []).length > 0)
  return {
    files: await byPath(files),
    links: await byPath(links),
    folders: Object.fromEntries([...folders].map(([at, names]) => [cleanPath(at), names.map(redact)])),
    present: [...present].map(cleanPath),
    absent: [...absent].map(cleanPath),
    unreadable: [...unreadable].map(cleanPath),
    host: { node, ...((await everyText(Object.fromEntries(given), clean)) as HostRecord) },
  }
}

function plainPath(text: string): string {
  const plain = posix.normalize(text)
  return plain.length > 1 && plain.endsWith('/') ? plain.slice(0, -1) : plain
}

/** Keys and texts alike. */
async function everyText(value: unknown, clean: (text: string) => Promise<string>): Promise<unknown> {
  if (typeof value === 'string') return clean(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const items: unknown[] = []
    for (const item of value) items.push(await everyText(item, clean))
    return items
  }
  const entries: [string, unknown][] = []
  for (const [key, inner] of Object.entries(value)) entries.push([await clean(key), await everyText(inner, clean)])
  return Object.fromEntries(entries)
}
