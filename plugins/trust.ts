/** Whose files are run: an agent that runs as root runs what root wrote, and nothing that others could have changed. */
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from '../common/errors.ts'

const WRITABLE_BY_OTHERS = 0o022

/**
 * Throws a UsageError where this process is root's and `file`, or the folder that it is really in, belongs to somebody else
 * or can be written by group or others. For any other user it asks nothing: what runs has no more rights than its author.
 */
export async function requireTrusted(file: string): Promise<void> {
  if (process.getuid?.() !== 0) return
  const real = await realpath(file)
  for (const path of [dirname(real), real]) {
    const { uid, mode } = await stat(path)
    if (uid !== 0) throw new UsageError(`${path} belongs to user ${uid}`, `chown root ${path}`)
    // In a folder as /tmp, whose sticky bit keeps others from replacing it, a file is as safe as its own mode.
    const isSticky = (mode & 0o1000) !== 0 && path !== real
    if ((mode & WRITABLE_BY_OTHERS) !== 0 && !isSticky) {
      throw new UsageError(`${path} can be written by others than root`, `chmod go-w ${path}`)
    }
  }
}
