/** How a folder is built of Debian's sources of Kubernetes: it appears when it is complete, and nothing else stays. */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from './command.mjs'
import { GoSource } from './kubernetes-source.mjs'
import { say, withProgress } from './progress.mjs'

/**
 * Builds `folder` unless it is there. `what` is built, in words; `packages`: more of Debian's that it takes. `make` gets the
 * sources, a folder for what goes on the way, and the one to fill. What a person can mend is said, and the exit code is 1 then.
 */
export async function buildFolder(folder, { what, packages = [] }, make) {
  if (existsSync(folder)) return
  const work = `${folder}.building`
  const made = join(work, 'made')
  const sources = new GoSource(work, packages)
  try {
    await sources.remove()
    await withProgress(`fetching the sources of ${what} and a compiler`, () => sources.fetch())
    mkdirSync(made)
    await make({ sources, work, made })
    renameSync(made, folder)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${error.message}\n${error.remedy}`)
    process.exitCode = 1
  } finally {
    await sources.remove()
  }
}
