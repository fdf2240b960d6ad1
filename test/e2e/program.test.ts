/** The program as it is built for nodes: on its own, far from the sources and packages that it was made of. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commandOf } from '../../cli/local/earlier-life.ts'
import { buildPage } from './browser.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'

const BUILD = fileURLToPath(new URL('../../scripts/build-program.ts', import.meta.url))
const UNIT = fileURLToPath(new URL('../../deploy/starling-agent.service', import.meta.url))

let folder: string
let program: string
let mesh: LocalMesh
beforeAll(async () => {
  buildPage()
  folder = newFolder()
  program = join(folder, 'starling.mjs')
  // As from a terminal: this test runner's own variables would make it another build.
  execFileSync(process.execPath, [BUILD, folder], { env: { PATH: process.env.PATH } })
  mesh = await LocalMesh.up({ nodes: 2, program })
}, TURN_WITHIN_MS)
afterAll(async () => {
  await mesh?.stop()
  rmSync(folder, { recursive: true, force: true })
}, TURN_WITHIN_MS)

it('runs a mesh, all of whose processes run it', async () => {
  await mesh.untilState('node-1', 'alive')
  await mesh.untilState('node-2', 'alive')
  const commands = Object.values(mesh.pids()).map(commandOf)
  expect(commands.length).toBe(5)
  expect(commands.filter((command) => !command.includes(program))).toEqual([])
})

it('has the page with it', async () => {
  const answer = await fetch(mesh.page ?? '')
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<script type="module"')])
})

it('knows its version', () => {
  expect(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/)
})

it('runs agents here as the unit file does on a host', () => {
  const flags = flagsIn(commandOf(mesh.pidOf('node-1')))
  expect(flags).not.toBe('')
  expect(flagsIn(readFileSync(UNIT, 'utf8'))).toBe(flags)
})

/** What stands between Node and the program. */
function flagsIn(command: string): string {
  return /node (.*?) ?\S*starling\.mjs agent/.exec(command)?.[1] ?? ''
}
