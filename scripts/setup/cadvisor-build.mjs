/**
 * Builds a stand-alone cadvisor of the packages that are in the kubelet, into a folder that appears when it is complete. Run
 * by kubernetes.mjs, which holds the lock.
 *
 * node scripts/setup/cadvisor-build.mjs FOLDER
 */
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from './command.mjs'
import { GoSource, succeed } from './kubernetes-source.mjs'
import { say, withProgress } from './progress.mjs'

const MAIN = fileURLToPath(new URL('./cadvisor.go', import.meta.url))

const [, , folder = ''] = process.argv
const work = `${folder}.building`
const sources = new GoSource(work)

if (!existsSync(folder)) {
  try {
    await build()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${error.message}\n${error.remedy}`)
    process.exitCode = 1
  } finally {
    await sources.remove()
  }
}

async function build() {
  await sources.remove()
  await withProgress('fetching the sources of cadvisor and a compiler', () => sources.fetch())
  const made = join(work, 'made')
  mkdirSync(made)
  const main = join(sources.folder, 'cmd', 'cadvisor')
  mkdirSync(main)
  cpSync(MAIN, join(main, 'main.go'))
  const program = join(made, 'cadvisor')
  await withProgress('building cadvisor (half a minute, once)', () =>
    sources.go(['build', '-ldflags', '-s -w', '-o', program, './cmd/cadvisor']),
  )
  await succeed(program, ['-version'])
  renameSync(made, folder)
}
