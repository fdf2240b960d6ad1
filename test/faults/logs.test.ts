/** Logs as they really grow: the kernel's, files that are rotated under the reader, and a journal of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import { appendFile, copyFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Host, type LogSource, type LogWatch, NotApplicable } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { JournalFollower } from '../../detectors/logs/journal.ts'
import { Sink } from '../../detectors/logs/sink.ts'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'

const HOUR_MS = 3_600_000
const signal = () => AbortSignal.timeout(60_000)
const watchOf = (source: LogSource, pattern = 'disk (?<cause>\\w+) failed'): LogWatch => ({
  source,
  patterns: [{ pattern, ignoreCase: false }],
  holdMs: HOUR_MS,
})

/** `cause: count`, in the order in which they were first seen. */
const found = async (host: Host, watch: LogWatch) =>
  (await host.log(watch, signal())).map(({ cause, agesMs }) => `${cause}: ${agesMs.length}`)

let root: string
let host: Host
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'starling-logs-'))
  host = createHost({ node: 'node-7', root, peerOffsets: () => [] })
})
afterEach(() => rm(root, { recursive: true }))

describeReal('a log file', needsLinux(), () => {
  const file = () => join(root, 'app.log')
  const watch = watchOf({ kind: 'file', path: '/app.log' })

  it('is followed from its end, line by line, also those that come in halves', async () => {
    await writeFile(file(), 'disk old failed\n')
    expect(await found(host, watch)).toEqual([])
    await appendFile(file(), 'nothing\ndisk a failed\ndisk b fai')
    expect(await found(host, watch)).toEqual(['a: 1'])
    await appendFile(file(), 'led\n')
    expect(await found(host, watch)).toEqual(['a: 1', 'b: 1'])
    expect(await found(host, watch)).toEqual(['a: 1', 'b: 1'])
  })

  it('is followed over a rotation, with what was written to it before', async () => {
    await writeFile(file(), '')
    await found(host, watch)
    await appendFile(file(), 'disk before failed\n')
    await rename(file(), `${file()}.1`)
    expect(await found(host, watch)).toEqual(['before: 1'])
    await appendFile(`${file()}.1`, 'disk late failed\nno newline at the end')
    await writeFile(file(), 'disk after failed\n')
    expect(await found(host, watch)).toEqual(['before: 1', 'late: 1', 'after: 1'])
    await appendFile(file(), 'disk after failed\n')
    expect(await found(host, watch)).toEqual(['before: 1', 'late: 1', 'after: 2'])
  })

  it('is not known when it was cut off under the reader, and goes on', async () => {
    await writeFile(file(), 'some lines\n'.repeat(100))
    await found(host, watch)
    await copyFile(file(), `${file()}.1`)
    await truncate(file())
    await appendFile(file(), 'disk new failed\n')
    await expect(host.log(watch, signal())).rejects.toThrow('/app.log was cut off')
    expect(await found(host, watch)).toEqual(['new: 1'])
  })

  it('may hold lines of megabytes and bytes of anything', async () => {
    await writeFile(file(), '')
    await found(host, watch)
    await appendFile(file(), `disk long failed ${'x'.repeat(3_000_000)}\n`)
    await appendFile(file(), Buffer.from([0, 0xff, 0xfe, 10]))
    await appendFile(file(), `${'y'.repeat(3_000_000)} disk hidden failed\ndisk last failed\n`)
    expect(await found(host, watch)).toEqual(['long: 1', 'last: 1'])
  })

  it('is looked back into when its lines have times', async () => {
    const at = (ms: number) => new Date(Date.now() - ms).toISOString()
    await writeFile(file(), `${at(2 * HOUR_MS)} disk old failed\n${at(60_000)} disk recent failed\n`)
    const timed = watchOf({ kind: 'file', path: '/app.log', timestamp: '^\\S+' })
    const [tally] = await host.log(timed, signal())
    expect(tally).toMatchObject({ cause: 'recent' })
    expect(tally?.agesMs[0]).toBeGreaterThanOrEqual(60_000)
  })

  it('is not applicable where there is none, and found once there is', async () => {
    await expect(host.log(watch, signal())).rejects.toThrow(NotApplicable)
    await writeFile(file(), 'disk old failed\n')
    expect(await found(host, watch)).toEqual([])
    await mkdir(join(root, 'folder.log'))
    await expect(host.log(watchOf({ kind: 'file', path: '/folder.log' }), signal())).rejects.toThrow('is no file')
  })
})

describeReal("the kernel's log", needsLinux() ?? needsRoot(), () => {
  const real = createHost({ node: 'node-7', peerOffsets: () => [] })

  it('is followed with what was in it before', async () => {
    const mark = `starling-test-${process.pid}`
    const watch = watchOf({ kind: 'kmsg' }, `${mark} (?<cause>\\w+) done`)
    const device = openSync('/dev/kmsg', 'w')
    try {
      writeSync(device, `${mark} before done\n`)
      expect(await found(real, watch)).toEqual(['before: 1'])
      writeSync(device, `${mark} after done\n`)
      expect(await found(real, watch)).toEqual(['before: 1', 'after: 1'])
    } finally {
      closeSync(device)
    }
    // Read again from the beginning, as after a restart.
    expect(await found(createHost({ node: 'node-7', peerOffsets: () => [] }), watch)).toEqual(['before: 1', 'after: 1'])
  })
})

describeReal("a pipe in the place of the kernel's log", needsLinux(), () => {
  let writer: number
  beforeEach(async () => {
    await mkdir(join(root, 'dev'))
    expect(spawnSync('mkfifo', [join(root, 'dev/kmsg')]).status).toBe(0)
    // For reading as well, so that opening does not wait and the pipe has no end.
    writer = openSync(join(root, 'dev/kmsg'), 'r+')
  })
  afterEach(() => closeSync(writer))
  /** Of the monotonic clock, in microseconds. */
  const now = process.hrtime.bigint() / 1_000n
  const write = (...lines: readonly string[]) => writeSync(writer, `${lines.join('\n')}\n`)
  const watch = watchOf({ kind: 'kmsg' })

  it('is read in whole records', async () => {
    write(`6,1,${now},-;disk a failed`, ' SUBSYSTEM=disk b failed', `6,2,${now},-;x`)
    writeSync(writer, `4,3,${now},-;disk c fai`)
    expect(await found(host, watch)).toEqual(['a: 1'])
    write('led', `6,4,${now},-;x`)
    expect(await found(host, watch)).toEqual(['a: 1', 'c: 1'])
  })

  it('makes it unknown once when numbers are missing, and keeps what it found', async () => {
    write(`6,1,${now},-;disk a failed`)
    expect(await found(host, watch)).toEqual(['a: 1'])
    write(`6,9,${now},-;disk b failed`)
    await expect(host.log(watch, signal())).rejects.toThrow('7 lines of')
    expect(await found(host, watch)).toEqual(['a: 1', 'b: 1'])
  })

  it('loses no line while it is flooded and nobody looks', async () => {
    expect(await found(host, watch)).toEqual([])
    const child = spawn('sh', [
      '-c',
      `i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); case $i in *000) echo "6,$i,${now},-;disk d$((i % 64000)) failed";;
        *) echo "6,$i,${now},-;usb 1-1: something of no interest";; esac; done > ${join(root, 'dev/kmsg')}`,
    ])
    await once(child, 'exit')
    const tallies = await host.log(watch, signal())
    expect(tallies.flatMap(({ agesMs }) => agesMs)).toHaveLength(200)
  }, 60_000)
})

describeReal('a journal of its own', needsLinux() ?? needsRoot(), () => {
  let daemon: ChildProcess | undefined
  afterEach(async () => {
    if (daemon === undefined) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGKILL')
    await ended
  })

  /** systemd-journald with a /run of its own, and in front of journalctl a program that enters its mounts. */
  const startJournal = async () => {
    const setUp = `mount -t tmpfs run /run && mkdir -p /run/systemd/journal /run/log/journal && mount -t tmpfs none /var/log &&
      exec /lib/systemd/systemd-journald`
    daemon = spawn('unshare', ['--mount', '--uts', 'sh', '-c', setUp], { stdio: 'ignore' })
    const enter = ['--target', String(daemon.pid), '--mount']
    await vi.waitFor(
      () => expect(spawnSync('nsenter', [...enter, 'test', '-S', '/run/systemd/journal/stdout']).status).toBe(0),
      { timeout: 20_000, interval: 100 },
    )
    const journalctl = join(root, 'journalctl')
    await writeFile(journalctl, `#!/bin/sh\nexec nsenter ${enter.join(' ')} journalctl "$@"\n`, { mode: 0o755 })
    const say = (tag: string, text: string) =>
      spawnSync('nsenter', [...enter, 'systemd-cat', '-t', tag, 'echo', text], { encoding: 'utf8' })
    return { journalctl, say }
  }

  it('is followed by its fields, back to what was before, and on when its reader is killed', async () => {
    const { journalctl, say } = await startJournal()
    const watch = watchOf({ kind: 'journal', fields: {} })
    const sink = new Sink(watch)
    say('app', 'disk before failed "quoted"')
    say('other', 'disk other failed')
    const follower = new JournalFollower(journalctl, ['SYSLOG_IDENTIFIER=app'], HOUR_MS, sink)
    try {
      const untilFound = (causes: readonly string[]) =>
        vi.waitFor(() => expect(sink.read().map(({ cause }) => cause)).toEqual(causes), {
          timeout: 20_000,
          interval: 50,
        })
      await untilFound(['before'])
      say('app', 'disk after failed')
      await untilFound(['before', 'after'])
      const reader = spawnSync('pgrep', ['-P', String(process.pid), 'journalctl'], { encoding: 'utf8' }).stdout.trim()
      process.kill(Number(reader), 'SIGKILL')
      await vi.waitFor(() => expect(follower.catchUp()).rejects.toThrow('SIGKILL'), { timeout: 20_000 })
      say('app', 'disk meanwhile failed')
      await untilFound(['before', 'after', 'meanwhile'])
      await vi.waitFor(() => follower.catchUp(), { timeout: 20_000 })
      // Those of before are not read again.
      expect(sink.read().map(({ agesMs }) => agesMs.length)).toEqual([1, 1, 1])
    } finally {
      follower.close()
    }
  }, 60_000)
})
