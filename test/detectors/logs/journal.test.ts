/** The reader of the journal when it ends: what it misses is not hidden, and what it does not is no trouble. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { JournalFollower } from '../../../detectors/logs/journal.ts'
import { Sink } from '../../../detectors/logs/sink.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-journal-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

it('that runs again and has nothing to say is well, as before it ended', async () => {
  const program = join(dir, 'journalctl')
  const again = join(dir, 'again')
  // The first one ends, and each later one stays and is quiet.
  writeFileSync(program, `#!/bin/sh\n[ -e ${again} ] && exec sleep 600\ntouch ${again}\nexit 1\n`)
  chmodSync(program, 0o755)
  const sink = new Sink({ source: { kind: 'journal', fields: {} }, patterns: [], holdMs: 60_000 })
  const follower = new JournalFollower(program, [], 60_000, sink)
  try {
    await vi.waitFor(() => expect(follower.catchUp()).rejects.toThrow('exit code 1'), { timeout: 20_000 })
    expect(existsSync(again)).toBe(true)
    await vi.waitFor(() => follower.catchUp(), { timeout: 20_000 })
  } finally {
    follower.close()
  }
}, 60_000)
