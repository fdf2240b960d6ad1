/** Files that are either the old or the new version after a crash or a power cut, never half of one. */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Replaces `path` with `content` in one step; durable once it returns. One call at a time per path. It is its writer's, or
 * `owner`'s, which takes root. Throws what the file system says.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  mode = 0o600,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`
  try {
    const file = await open(temporary, 'w', mode)
    try {
      if (owner !== undefined) await file.chown(owner.uid, owner.gid)
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Without this the new name itself can be lost in a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
