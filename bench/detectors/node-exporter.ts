/**
 * What people have on nodes for the same figures: the Prometheus node exporter (Debian's package) with its defaults,
 * scraped over loopback. Nothing installs it by itself: the package starts a daemon.
 */
import { spawnSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { StarlingError } from '../../common/errors.ts'
import type { Progress } from '../bench.ts'
import { MeasuredProcess } from './measured-process.ts'
import type { Part } from './sweep.ts'

const PROGRAM = 'prometheus-node-exporter'
const WITHIN_MS = 20_000
const LOOK_EVERY_MS = 100
const MINUTE_MS = 60_000

export interface ExporterOptions {
  readonly port: number
  /** Between two scrapes, s. */
  readonly every: number
  readonly seconds: number
}

/** No figures where it is not installed. */
export async function exporterPart(options: ExporterOptions, progress: Progress): Promise<Part> {
  const { port, every, seconds } = options
  if (spawnSync(PROGRAM, ['--version']).status !== 0) {
    progress(`${PROGRAM} is not installed and left out: as root on Debian, apt-get install ${PROGRAM}`)
    return { results: [], targets: [] }
  }
  const exporter = MeasuredProcess.spawn(PROGRAM, [`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'])
  try {
    await untilUp(port)
    const before = exporter.taken()
    const scrapes = Math.max(1, Math.round(seconds / every))
    progress(`${PROGRAM} is scraped ${scrapes} times, every ${every} s`)
    for (let scrape = 0; scrape < scrapes; scrape++) {
      await wait(every * 1_000)
      await scrapeOnce(port)
    }
    const after = exporter.taken()
    const perScrape = (after.cpuMs - before.cpuMs) / scrapes
    return {
      results: [
        { name: `${PROGRAM}, a scrape`, value: perScrape, unit: 'ms CPU' },
        { name: `${PROGRAM}, a minute`, value: (perScrape * MINUTE_MS) / (every * 1_000), unit: 'ms CPU' },
        { name: `${PROGRAM}, at rest`, value: perScrape / (every * 10), unit: '% of a core' },
        { name: `${PROGRAM}, memory`, value: after.rssMb, unit: 'MB RSS' },
      ],
      targets: [],
    }
  } finally {
    await exporter.stop()
  }
}

async function scrapeOnce(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  await response.text()
  if (!response.ok) throw new StarlingError(`${PROGRAM} answered ${response.status}`)
}

async function untilUp(port: number): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  for (;;) {
    try {
      return await scrapeOnce(port)
    } catch (error) {
      if (performance.now() > deadline) throw new StarlingError(`${PROGRAM} does not answer`, { cause: error })
    }
    await wait(LOOK_EVERY_MS)
  }
}
