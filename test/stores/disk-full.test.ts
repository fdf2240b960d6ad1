/** A disk without room: a small one of its own, in a mount namespace. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'

describeReal('a history on a full disk', needsLinux() ?? needsRoot(), () => {
  it('keeps nothing of a page that finds no room, says why, and goes on when there is some', () => {
    const folder = mkdtempSync(join(tmpdir(), 'starling-full-'))
    const program = fileURLToPath(new URL('./full-disk.ts', import.meta.url))
    const script = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" "$3" "$1"'
    const args = ['-m', 'sh', '-c', script, 'sh', folder, process.execPath, program]
    const { stdout, stderr, status } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 120_000 })
    rmdirSync(folder)
    expect([status, stderr]).toEqual([0, ''])
    const full = expect.stringContaining('full')
    expect(JSON.parse(stdout)).toEqual({
      wrote: true,
      error: full,
      refused: full,
      half: 0,
      after: 20,
      lost: 0,
      holds: true,
    })
  }, 150_000)
})
