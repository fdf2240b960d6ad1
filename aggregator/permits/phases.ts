/** What the word of a node about one of its fixes says about a permit for it. */
import type { Remediation, RemediationPhase } from '../../remediators/contract.ts'

/** Nothing of it has been begun. */
const IDLE: ReadonlySet<RemediationPhase> = new Set([
  'proposed',
  'awaiting-approval',
  'awaiting-window',
  'refused',
  'rejected',
  'withdrawn',
])

type Word = Pick<Remediation, 'phase' | 'ended'>

/** Whether its node acts on no permit for it that it has asked for so far. */
export function isOver({ phase, ended }: Word): boolean {
  return ended === true || IDLE.has(phase)
}

/** Whether a permit may be asked for. */
export function mayAsk({ phase, ended }: Word): boolean {
  return IDLE.has(phase) && ended !== true
}
