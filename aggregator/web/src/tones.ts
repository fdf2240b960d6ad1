/** Which tone each state of a thing is shown in. */
import type { FindingStatus } from '../../../detectors/contract.ts'
import type { RemediationPhase } from '../../../remediators/contract.ts'
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

export const PHASE_TONES: Readonly<Record<RemediationPhase, Tone>> = {
  'awaiting-approval': 'act',
  applying: 'info',
  verifying: 'info',
  verified: 'good',
  reverted: 'warn',
  'revert-failed': 'bad',
  failed: 'bad',
  refused: 'quiet',
  rejected: 'quiet',
  withdrawn: 'quiet',
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
