/** All built-in detectors on this host, one after the other: what each look takes of the processor. */
import type { BenchOutcome, Progress } from '../bench.ts'
import { median } from '../statistics.ts'
import { MeasuredProcess } from './measured-process.ts'

export interface SweptLook {
  readonly detector: string
  readonly round: number
  readonly result: string
  readonly cpuMs: number
  readonly wallMs: number
}

export type Part = Pick<BenchOutcome, 'results' | 'targets'>

const SWEEP_CPU_MS = 150

export async function sweepPart(rounds: number, progress: Progress): Promise<Part> {
  progress(`${rounds} sweeps`)
  const { process, said } = await MeasuredProcess.looking('sweep', String(rounds))
  await process.stop()
  const looks = said as readonly SweptLook[]
  const sum = (list: readonly SweptLook[]) => list.reduce((total, { cpuMs }) => total + cpuMs, 0)
  const ofRound = (round: number) => sum(looks.filter((look) => look.round === round))
  const later = Array.from({ length: rounds - 1 }, (_, index) => ofRound(index + 1))
  const first = { name: 'first sweep, with all code to compile', value: ofRound(0), unit: 'ms CPU' }
  const sweep = { name: 'sweep, median of the later ones', value: median(later), unit: 'ms CPU' }
  const names = [...new Set(looks.map(({ detector }) => detector))]
  const perLook = names
    .map((name) => {
      const own = looks.filter(({ detector, round }) => detector === name && round > 0)
      const value = median(own.map(({ cpuMs }) => cpuMs))
      return { name: `look: ${name} (${own.at(-1)?.result})`, value, unit: 'ms CPU' }
    })
    .toSorted((a, b) => b.value - a.value)
  return { results: [first, sweep, ...perLook], targets: [{ ...sweep, op: '<=', target: SWEEP_CPU_MS }] }
}
