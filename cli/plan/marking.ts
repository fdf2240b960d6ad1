/** What marking made of each verdict, as a table and in a line. */
import type { WouldBeMark } from '../../aggregator/model.ts'
import { counted } from '../../common/counted.ts'
import { formatDuration } from '../../common/duration.ts'
import { type Cell, table } from '../table.ts'
import { localTime } from '../text.ts'

export function markingTable(marks: readonly WouldBeMark[]): string {
  return table(['TIME', 'NODE', 'VERDICT', 'LASTED', 'VOTES', 'EFFECT', 'KUBERNETES', 'WHY'], marks.map(row))
}

/** For the question behind it: what would this do, and does Kubernetes see the same? */
export function markingSummary(marks: readonly WouldBeMark[]): string {
  const counts = EFFECTS.map((effect) => [marks.filter((mark) => mark.effect === effect).length, effect] as const)
  const told = counts.filter(([count]) => count > 0).map(([count, effect]) => `${count} ${SAYS[effect]}`)
  const stock = marks.filter((mark) => mark.stock !== null).length
  return `${counted(marks.length, 'verdict')}: ${told.join(', ')}; Kubernetes itself held ${stock} of these nodes for not Ready meanwhile`
}

const SAYS: Readonly<Record<WouldBeMark['effect'], string>> = {
  marked: 'marked',
  'would-mark': 'would have been marked',
  withheld: 'withheld',
  none: 'without effect',
}
const EFFECTS = Object.keys(SAYS) as readonly WouldBeMark['effect'][]

function row({ at, node, kind, lengthMs, votes, effect, stock, why }: WouldBeMark): readonly Cell[] {
  const { silent, alive, abstained, needed } = votes
  return [
    localTime(at),
    node,
    kind,
    lengthMs === null ? 'still' : formatDuration(lengthMs),
    needed === 0 ? 'not known here' : `${silent} silent, ${alive} alive, ${abstained} abstained (${needed} needed)`,
    { text: effect, style: effect === 'marked' ? 'red' : 'yellow' },
    stock === null ? 'never' : `after ${formatDuration(stock.afterMs)}`,
    why,
  ]
}
