/** The detector engine at its defaults beside a process with the same code that does nothing. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Progress } from '../bench.ts'
import { MeasuredProcess } from './measured-process.ts'
import type { Part } from './sweep.ts'

/** From the issue of detectors: of a core, and beside the process that runs them. */
const CPU_PERCENT = 0.5
const RSS_MB = 10

export interface SteadyOptions {
  readonly seconds: number
  readonly settle: number
}

export async function steadyPart({ seconds, settle }: SteadyOptions, progress: Progress): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'starling-bench-'))
  const { process: bare } = await MeasuredProcess.looking('bare')
  const { process: engine } = await MeasuredProcess.looking('engine', folder)
  try {
    progress(`the engine settles for ${settle} s and is measured for ${seconds} s`)
    await wait(settle * 1_000)
    const before = [bare.taken(), engine.taken()] as const
    const beganMs = performance.now()
    await wait(seconds * 1_000)
    const after = [bare.taken(), engine.taken()] as const
    const passedMs = performance.now() - beganMs
    const percent = (index: 0 | 1) => ((after[index].cpuMs - before[index].cpuMs) / passedMs) * 100
    const cpu = { name: 'engine at rest, beside the bare process', value: percent(1) - percent(0), unit: '% of a core' }
    const rss = { name: 'memory beside the bare process', value: after[1].rssMb - after[0].rssMb, unit: 'MB RSS' }
    return {
      results: [
        cpu,
        { name: 'bare process', value: percent(0), unit: '% of a core' },
        { name: 'its start and first looks', value: before[1].cpuMs - before[0].cpuMs, unit: 'ms CPU' },
        rss,
        { name: 'memory of the bare process', value: after[0].rssMb, unit: 'MB RSS' },
      ],
      targets: [
        { ...cpu, op: '<=', target: CPU_PERCENT },
        { ...rss, op: '<=', target: RSS_MB },
      ],
    }
  } finally {
    await Promise.all([bare.stop(), engine.stop()])
    rmSync(folder, { recursive: true })
  }
}
