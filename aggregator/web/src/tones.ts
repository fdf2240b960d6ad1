/** Which tone each state of a thing is shown in. */
import type { FindingStatus, Severity } from '../../../detectors/contract.ts'
import type { Column } from '../../../inspection/model.ts'
import type { Mode, Remediation, RemediationPhase } from '../../../remediators/contract.ts'
import type { MarkView, MemberState, MemberView, OfficeView, Sight, StoredEvent, VoteView } from '../../model.ts'
import type { Tone } from './parts/small.tsx'

export const MEMBER_TONES: Readonly<Record<MemberState, Tone>> = {
  alive: 'good',
  suspected: 'warn',
  NodeDown: 'bad',
  HostHung: 'bad',
  AgentDown: 'bad',
  Isolated: 'bad',
  left: 'quiet',
  unseen: 'quiet',
}

/** A node that lives in spite of its links is not quite well. */
export function memberTone({ state, flags }: MemberView): Tone {
  return state === 'alive' && flags.length > 0 ? 'warn' : MEMBER_TONES[state]
}

/** Told apart by mark and words as well as by colour; the command line uses the same marks. */
export const SIGHT_PICTURES: Readonly<
  Record<Sight, { readonly mark: string; readonly tone: Tone; readonly says: string }>
> = {
  hears: { mark: '●', tone: 'good', says: 'hears it' },
  'host-answers': { mark: '◐', tone: 'warn', says: 'host answers' },
  silent: { mark: '○', tone: 'warn', says: 'misses it' },
  nothing: { mark: '✕', tone: 'bad', says: 'nothing answers' },
  abstains: { mark: '–', tone: 'quiet', says: 'abstains' },
  unknown: { mark: '?', tone: 'quiet', says: 'says nothing' },
}

export const FINDING_TONES: Readonly<Record<FindingStatus, Tone>> = {
  error: 'bad',
  alarm: 'bad',
  warn: 'warn',
  unknown: 'warn',
  info: 'info',
  ok: 'good',
  'not-applicable': 'quiet',
}

export const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = {
  error: 'bad',
  alarm: 'bad',
  warn: 'warn',
  info: 'info',
}

export const COLUMN_TONES: Readonly<Record<Column, Tone>> = {
  error: 'bad',
  alarm: 'bad',
  warn: 'warn',
  info: 'quiet',
  unknown: 'warn',
  silent: 'bad',
  notApplicable: 'quiet',
}

const PHASE_PICTURES: Readonly<Record<RemediationPhase, { readonly tone: Tone; readonly says: string }>> = {
  proposed: { tone: 'quiet', says: 'proposed' },
  'awaiting-approval': { tone: 'act', says: 'awaits approval' },
  'awaiting-window': { tone: 'info', says: 'awaits its window' },
  refused: { tone: 'quiet', says: 'refused' },
  withdrawn: { tone: 'quiet', says: 'withdrawn' },
  rejected: { tone: 'quiet', says: 'rejected' },
  permitted: { tone: 'info', says: 'permitted' },
  applying: { tone: 'info', says: 'applying' },
  verifying: { tone: 'info', says: 'verifying' },
  verified: { tone: 'good', says: 'verified' },
  'no-effect': { tone: 'warn', says: 'no effect' },
  failed: { tone: 'bad', says: 'failed' },
  reverted: { tone: 'warn', says: 'reverted' },
  'revert-failed': { tone: 'bad', says: 'revert failed' },
  escalated: { tone: 'bad', says: 'needs a person' },
}

/** A plan that nobody is asked about is shown as what it is in its mode. */
const PROPOSED_SAYS: Partial<Record<Mode, string>> = { observe: 'would do', suggest: 'suggested' }

export function phasePicture({ phase, mode }: Pick<Remediation, 'phase' | 'mode'>): { tone: Tone; says: string } {
  const picture = PHASE_PICTURES[phase]
  return phase === 'proposed' ? { ...picture, says: PROPOSED_SAYS[mode] ?? picture.says } : picture
}

export const MODE_TONES: Readonly<Record<Mode, Tone>> = {
  observe: 'quiet',
  suggest: 'quiet',
  approve: 'act',
  auto: 'info',
}

export const EVENT_TONES: Readonly<Record<StoredEvent['tone'], Tone>> = {
  bad: 'bad',
  good: 'good',
  info: 'info',
  act: 'act',
}

export const OPINION_TONES: Readonly<Record<VoteView['opinion'], Tone>> = {
  silent: 'bad',
  alive: 'good',
  abstain: 'quiet',
}

/** What is written, and what only would be, differ in their sign as well as in their words. */
export const MARK_PICTURES: Readonly<
  Record<MarkView['state'], { readonly tone: Tone; readonly sign: string; readonly says: string }>
> = {
  marked: { tone: 'info', sign: '●', says: 'marked' },
  'would-mark': { tone: 'info', sign: '○', says: 'would mark' },
  withheld: { tone: 'warn', sign: '▲', says: 'not marked' },
  undone: { tone: 'quiet', sign: '–', says: 'mark undone' },
}

export const ROLE_PICTURES: Readonly<Record<OfficeView['role'], { readonly tone: Tone; readonly says: string }>> = {
  starts: { tone: 'info', says: 'starting' },
  'stands-by': { tone: 'quiet', says: 'stands by' },
  'takes-over': { tone: 'info', says: 'taking over' },
  leads: { tone: 'good', says: 'leads' },
}
