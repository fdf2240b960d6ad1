/** The `starling` program that a bench runs: built, as on nodes, or from its sources. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StarlingError } from '../common/errors.ts'
import { ensurePage } from '../scripts/build-page.ts'

export const SOURCE = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
const BUILD = fileURLToPath(new URL('../scripts/build-program.ts', import.meta.url))

/** A build of its own, so that it is what the sources say and no running mesh is disturbed. Returns its file. */
export function buildProgram(folder: string): string {
  ensurePage()
  const { status, stderr } = spawnSync(process.execPath, [BUILD, folder], { encoding: 'utf8' })
  if (status !== 0) throw new StarlingError(`the program cannot be built: ${stderr.trim()}`)
  return join(folder, 'starling.mjs')
}
