/**
 * Builds a stand-alone cadvisor of the packages that are in the kubelet, into a folder that appears when it is complete. Run
 * by kubernetes.mjs, which holds the lock.
 *
 * node scripts/setup/cadvisor-build.mjs FOLDER
 */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFolder } from './kubernetes-folder.mjs'
import { succeed } from './kubernetes-source.mjs'
import { withProgress } from './progress.mjs'

const MAIN = fileURLToPath(new URL('./cadvisor.go', import.meta.url))

const [, , folder = ''] = process.argv

await buildFolder(folder, { what: 'cadvisor' }, async ({ sources, made }) => {
  const main = join(sources.folder, 'cmd', 'cadvisor')
  mkdirSync(main)
  cpSync(MAIN, join(main, 'main.go'))
  const program = join(made, 'cadvisor')
  await withProgress('building cadvisor (half a minute, once)', () =>
    sources.go(['build', '-ldflags', '-s -w', '-o', program, './cmd/cadvisor']),
  )
  await succeed(program, ['-version'])
})
