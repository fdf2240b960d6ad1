/** Copying a history as an operator does it: while it is written, to a good place and to bad ones. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkTrail } from '../../aggregator/audit/walk.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { event } from '../aggregator/event.ts'
import { describeReal, NOBODY, needsLinux, needsRoot } from '../real-part.ts'
import { run } from './harness.ts'

let folder: string
let store: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-backup-'))
  store = join(folder, 'history.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Events of some 4 KB each, of which nothing can be packed. */
function fill(count = 100): void {
  const journal = openJournal(store)
  const noise = () => randomBytes(3_000).toString('base64')
  journal.appendAll(Array.from({ length: count }, (_, n) => event(`e${n}`, { summary: noise() })))
  journal.close()
}
const backup = (...args: string[]) => run(['history', 'backup', '--store', store, ...args])

it('is one file that an aggregator can be started with', async () => {
  fill()
  const copy = join(folder, 'copy.sqlite')
  expect(await backup(copy)).toEqual({ code: 0, stdout: `copied to ${copy}\n`, stderr: '' })
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual(['copy.sqlite'])
  const restored = openJournal(copy)
  expect(restored.byId('e99')).not.toBeNull()
  expect(await checkTrail(restored.trail, { mesh: 'test', signers: new Set() })).toMatchObject({ holds: true })
  restored.close()
  const other = join(folder, 'other')
  const { stdout } = await backup(other, '-o', 'json')
  const bytes = readFileSync(other).length
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'HistoryBackup', items: [{ file: other, store, bytes }] })
})

it('is whole though an aggregator writes meanwhile', async () => {
  fill()
  const program = fileURLToPath(new URL('../aggregator/history/history-writer.ts', import.meta.url))
  const writer = spawn(process.execPath, [program, store], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(writer, 'exit')
  let pages = 0
  await new Promise<void>((resolve) => {
    writer.stdout.on('data', (bytes: Buffer) => {
      pages += bytes.toString().split('\n').length - 1
      resolve()
    })
  })
  const before = pages
  const copy = join(folder, 'copy.sqlite')
  expect(await backup(copy)).toMatchObject({ code: 0, stderr: '' })
  expect([writer.exitCode, pages > before]).toEqual([null, true])
  writer.kill('SIGKILL')
  await exited
  const restored = openJournal(copy)
  expect(await checkTrail(restored.trail, { mesh: 'test', signers: new Set() })).toMatchObject({ holds: true })
  restored.close()
}, 60_000)

it('leaves alone what is there, and says so', async () => {
  fill()
  const there = join(folder, 'letter')
  writeFileSync(there, 'a letter')
  const { code, stdout, stderr } = await backup(there)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(`${there} exists already\nname a file that does not`)
  expect(readFileSync(there, 'utf8')).toBe('a letter')
})

it('says that a folder is not there, or that there is no history', async () => {
  fill()
  const nowhere = await backup(join(folder, 'none', 'copy'))
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('check that its directory is there')])
  const none = await run(['history', 'backup', '--store', join(folder, 'none'), join(folder, 'copy')])
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no history in')])
  writeFileSync(join(folder, 'letter'), 'a letter\n'.repeat(100))
  const foreign = await run(['history', 'backup', '--store', join(folder, 'letter'), join(folder, 'copy')])
  expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('it is not a SQLite database')])
  expect(readdirSync(folder).filter((name) => name.startsWith('copy'))).toEqual([])
})

describeReal('a copy that may not be written, or read, or has no room', needsLinux() ?? needsRoot(), () => {
  const program = fileURLToPath(new URL('./harness.ts', import.meta.url))
  const asNobody = (target: string) => {
    const args = [program, 'history', 'backup', '--store', store, target]
    return spawnSync(process.execPath, args, { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  }

  it('says so, and leaves nothing behind', () => {
    fill()
    chmodSync(folder, 0o755)
    const locked = join(folder, 'locked')
    mkdirSync(locked, { mode: 0o755 })
    const unwritable = asNobody(join(locked, 'copy'))
    expect([unwritable.status, unwritable.stderr]).toEqual([1, expect.stringContaining('cannot ')])
    expect(readdirSync(locked)).toEqual([])
    chmodSync(store, 0o600)
    const unreadable = asNobody(join(tmpdir(), 'starling-unreadable-copy'))
    expect([unreadable.status, unreadable.stderr]).toEqual([
      1,
      expect.stringMatching(/cannot read the history in .*\nrun this as the user that the aggregator runs as/),
    ])
  })

  it('is not begun halfway where the disk is full', () => {
    fill(1_000)
    const small = join(folder, 'small')
    mkdirSync(small)
    const script = `mount -t tmpfs -o size=2m none "$1" && "$2" "$3" history backup --store "$4" "$1/copy"; code=$?
      ls -A "$1"; exit $code`
    const args = ['-m', 'sh', '-c', script, 'sh', small, process.execPath, program, store]
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`cannot write the copy ${small}/copy: `)
    expect(stderr).toContain('has room')
  })
})
