/**
 * The rule that uses the ring by itself: an alarm that the node is short of memory or processors comes with what the worst
 * container or service used in the 15 minutes before, which is over by the time that somebody looks.
 */
import type { Finding } from '../contract.ts'
import { means, shownFigure, sparkline, worstBy } from './answer.ts'
import type { FigureName } from './figures.ts'
import type { UsageRing } from './ring.ts'
import { NODE } from './subjects.ts'

const MINUTES = 15

/** By the reason of the alarm, what to look for. */
const FIGURE_OF: Readonly<Record<string, FigureName>> = {
  MemoryAlmostFull: 'memory',
  MemoryThrashing: 'memory',
  SystemOomKills: 'memory',
  LoadExtreme: 'cpu',
  CpuStarved: 'cpu',
  IoStuck: 'written',
}

/** The findings, those alarms among them with one more fact. Pure but for the ring, which is only read. */
export function withUsage(findings: readonly Finding[], ring: UsageRing): readonly Finding[] {
  return findings.map((finding) => {
    const figure = finding.status === 'alarm' ? FIGURE_OF[finding.reason] : undefined
    const evidence = figure === undefined ? undefined : worst(ring, figure)
    return evidence === undefined ? finding : { ...finding, evidence: [...finding.evidence, evidence] }
  })
}

function worst(ring: UsageRing, figure: FigureName): Finding['evidence'][number] | undefined {
  const [name] = worstBy(ring, figure, MINUTES, 1)
  if (name === undefined) return undefined
  const points = means(ring.series(name, figure, MINUTES).values, 1)
  const known = points.filter((value) => value !== null)
  const [first = 0, last = 0] = [known.at(0), known.at(-1)]
  const of = ring.series(NODE, figure, 1).values[0]
  const share = of === undefined ? '' : ` (node ${shownFigure(figure, of)})`
  return {
    name: `${figure} of ${name}, last ${points.length} min`,
    value: `${sparkline(points)} ${shownFigure(figure, first)} to ${shownFigure(figure, last)}${share}`,
    unit: '',
  }
}
