/**
 * What following the kernel's log costs while something floods it, and whether a line that matters is lost. The flood goes
 * through a pipe, since this machine's own log is not for tests to fill; what a read of the real device costs more is measured
 * on what is in its ring.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { StarlingError, UsageError } from '../common/errors.ts'
import { defineBench, type Measurement } from './bench.ts'
import type { ReaderResult } from './kmsg/reader.ts'
import { median } from './statistics.ts'

const reader = fileURLToPath(new URL('./kmsg/reader.ts', import.meta.url))

/** From the detectors' issue. */
const CPU_PERCENT = 5

const STEP_MS = 10
/** A log keeps this many times of each cause, so that causes times these can be counted. */
const CAUSES = 200
const TIMES = 60
/** As the kernel bounds them (CONSOLE_EXT_LOG_MAX). */
const RECORD_BYTES_MAX = 8 * 1024
/** As many rules as a detector of the kernel's log has. */
const RULES = 30

export const kmsgFlood = defineBench({
  name: 'kmsg-flood',
  summary: "processor time of following a flooded kernel's log, and lines that it lost",
  options: {
    lines: { summary: 'lines a second', default: 10_000 },
    seconds: { summary: 'how long', default: 20 },
    every: { summary: 'each how manieth line matches a rule', default: 100 },
  },
  async run({ lines, seconds, every }, progress) {
    const total = lines * seconds
    if (total / every > CAUSES * TIMES) throw new UsageError(`more than ${CAUSES * TIMES} matches cannot be counted`)
    const root = mkdtempSync(join(tmpdir(), 'starling-kmsg-'))
    try {
      mkdirSync(join(root, 'dev'))
      const pipe = join(root, 'dev/kmsg')
      if (spawnSync('mkfifo', [pipe]).status !== 0) throw new StarlingError('mkfifo makes no pipe here')
      progress(`writing ${lines} lines a second for ${seconds} s`)
      const { result, written, tookSeconds } = await flood(root, pipe, { lines, total, every })
      const cpu = { name: 'processor', value: (result.cpuSeconds / tookSeconds) * 100, unit: '% of a core' }
      const device = deviceCost()
      const more = device === undefined ? 0 : (device.value / 1e6) * lines * 100
      const withDevice = { name: 'processor, with reads of the device', value: cpu.value + more, unit: '% of a core' }
      const lost = {
        name: 'matching lines lost in silence',
        value: result.unknown > 0 ? 0 : written - result.matches,
        unit: '',
      }
      return {
        settings: { lines, seconds, every, rules: RULES, linesWritten: total },
        results: [
          cpu,
          ...(device === undefined ? [] : [device]),
          { name: 'lines a second', value: total / tookSeconds, unit: '/s' },
          { name: 'matching lines written', value: written, unit: '' },
          { name: 'looks that were unknown', value: result.unknown, unit: '' },
        ],
        targets: [
          { ...withDevice, op: '<=', target: CPU_PERCENT },
          { ...lost, op: '<=', target: 0 },
        ],
      }
    } finally {
      rmSync(root, { recursive: true })
    }
  },
})

async function flood(
  root: string,
  pipe: string,
  { lines, total, every }: { lines: number; total: number; every: number },
) {
  // For reading as well, so that opening does not wait and the pipe has no end.
  const writer = openSync(pipe, 'r+')
  const patterns = Array.from(
    { length: RULES },
    (_, index) => `subsystem${index} (?<cause>d\\d+) has failed: error -\\d+`,
  )
  const child = fork(reader, [root, JSON.stringify(patterns)])
  try {
    await once(child, 'message')
    child.send('begin')
    const startedMs = performance.now()
    let number = 0
    let written = 0
    while (number < total) {
      const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1_000) * lines))
      const batch: string[] = []
      for (; number < due && batch.length < lines; number += 1) {
        const isMatch = number % every === 0
        batch.push(record(number, isMatch ? `subsystem0 d${written % CAUSES} has failed: error -5` : NOISE))
        if (isMatch) written += 1
      }
      if (batch.length > 0) writeSync(writer, batch.join(''))
      await wait(STEP_MS)
    }
    const tookSeconds = (performance.now() - startedMs) / 1_000
    const answer = once(child, 'message')
    child.send('end')
    const [result] = (await answer) as [ReaderResult]
    return { result, written, tookSeconds }
  } finally {
    child.kill()
    closeSync(writer)
  }
}

const NOISE = 'usb 1-1.4: new high-speed USB device number 17 using xhci_hcd, idVendor=0000, idProduct=0000'

/** Of now, by the monotonic clock in microseconds. */
function record(number: number, text: string): string {
  return `6,${number},${process.hrtime.bigint() / 1_000n},-;${text}\n`
}

/** Processor time of reading one record of the real device, by what is in its ring; undefined where it may not be read. */
function deviceCost(): Measurement | undefined {
  try {
    const costs = Array.from({ length: 9 }, costOfRing)
    return { name: 'processor for a record of the device', value: median(costs), unit: 'us' }
  } catch {
    return undefined
  }
}

function costOfRing(): number {
  const device = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.allocUnsafe(RECORD_BYTES_MAX)
  const before = process.cpuUsage()
  let records = 0
  try {
    for (;;) {
      readSync(device, buffer, 0, RECORD_BYTES_MAX, null)
      records += 1
    }
  } catch (error) {
    if (records === 0 || (error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    const { user, system } = process.cpuUsage(before)
    return (user + system) / records
  } finally {
    closeSync(device)
  }
}
