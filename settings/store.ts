/** Signed settings on disk, so that an agent starts with the last ones it had, whoever it can reach. */
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { type Acceptance, encodeSettings, SIGNED_SETTINGS_BYTES_MAX, type SignedSettings } from './signed.ts'

const FILE = 'settings'
/** A single place, so that a disk that spoils every write cannot fill up with copies. */
const SET_ASIDE = 'settings.refused'

export type LoadedSettings =
  | { readonly kind: 'none' }
  | { readonly kind: 'loaded'; readonly settings: SignedSettings }
  /** What was there is kept as `keptAs`, for people to look at; the agent goes on with the defaults. */
  | { readonly kind: 'refused'; readonly why: string; readonly keptAs: string }

/**
 * The settings kept in `stateDir`. `accept` is acceptSettings with no current settings: what is on disk is trusted no more
 * than what a peer sends. Throws when the directory cannot be read or written at all.
 */
export async function loadSettings(
  stateDir: string,
  accept: (bytes: Uint8Array) => Acceptance,
): Promise<LoadedSettings> {
  const bytes = await readBounded(join(stateDir, FILE))
  if (bytes === null) return { kind: 'none' }
  const answer = accept(bytes)
  if (answer.accepted) return { kind: 'loaded', settings: answer.settings }
  const keptAs = join(stateDir, SET_ASIDE)
  await rename(join(stateDir, FILE), keptAs)
  return { kind: 'refused', why: answer.why, keptAs }
}

/** Replaces the settings kept in `stateDir`; durable once it returns. */
export async function saveSettings(stateDir: string, settings: SignedSettings): Promise<void> {
  await writeFileAtomically(join(stateDir, FILE), encodeSettings(settings))
}

/** At most one byte more than is allowed, which is enough to be refused as too large. Null when there is no such file. */
async function readBounded(path: string): Promise<Uint8Array | null> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const buffer = new Uint8Array(SIGNED_SETTINGS_BYTES_MAX + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  } finally {
    await file.close()
  }
}
