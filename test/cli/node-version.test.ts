/** The command under a Node that is too old says so, and what to do, instead of what it stumbles over. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { cleanEnvironment, MAIN } from '../e2e/starling.ts'

function versionUnder(node: string) {
  // As this Node, but that it says it is another.
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${node}' } })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, MAIN, '--version']
  return spawnSync(process.execPath, args, { env: cleanEnvironment(), encoding: 'utf8' })
}

it.each(['20.20.2', '22.9.0', '22.18.5'])('refuses Node %s with a remedy', (node) => {
  const { status, stderr } = versionUnder(node)
  expect([status, stderr]).toEqual([
    1,
    `starling: Node ${node} is too old\n  run it with Node 22.19 or newer: ${process.execPath} is what runs it now\n`,
  ])
})

it.each(['22.19.0', '24.21.0', '100.0.0'])('runs with Node %s', (node) => {
  expect(versionUnder(node).status).toBe(0)
})
