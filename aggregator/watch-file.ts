/** Tells when a file that an operator keeps has changed. */
import { unwatchFile, watchFile } from 'node:fs'

/** Editors replace files in many ways; looking at the file's date is the one that sees them all. */
const LOOK_EVERY_MS = 1_000

/** Calls back when the file was changed, made or removed. Returns how to stop. */
export function watchChanges(file: string, onChange: () => void): () => void {
  const look = (now: { readonly mtimeMs: number }, before: { readonly mtimeMs: number }) => {
    if (now.mtimeMs !== before.mtimeMs) onChange()
  }
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, look)
  return () => unwatchFile(file, look)
}
