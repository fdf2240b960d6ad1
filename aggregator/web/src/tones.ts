/** Which tone each state of a thing is shown in. */
import type { Text } from '../../../common/languages.ts'
import { PHASE_WORDS } from '../../../common/words/phases.ts'
import type { FindingStatus, Severity } from '../../../detectors/contract.ts'
import type { Column } from '../../../inspection/model.ts'
import type { Mode, Remediation, RemediationPhase } from '../../../remediators/contract.ts'
import type { MarkView, MemberState, MemberView, OfficeView, Sight, StoredEvent, VoteView } from '../../model.ts'
import type { Tone } from './parts/small.tsx'
import { REMEDIATION_TEXTS } from './texts/remediations.ts'

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
export const SIGHT_PICTURES: Readonly<Record<Sight, { readonly mark: string; readonly tone: Tone }>> = {
  hears: { mark: '●', tone: 'good' },
  'host-answers': { mark: '◐', tone: 'warn' },
  silent: { mark: '○', tone: 'warn' },
  nothing: { mark: '✕', tone: 'bad' },
  abstains: { mark: '–', tone: 'quiet' },
  unknown: { mark: '?', tone: 'quiet' },
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

const PHASE_TONES: Readonly<Record<RemediationPhase, Tone>> = {
  proposed: 'quiet',
  'awaiting-approval': 'act',
  'awaiting-window': 'info',
  refused: 'quiet',
  withdrawn: 'quiet',
  rejected: 'quiet',
  permitted: 'info',
  applying: 'info',
  verifying: 'info',
  verified: 'good',
  'no-effect': 'warn',
  failed: 'bad',
  reverted: 'warn',
  'revert-failed': 'bad',
  escalated: 'bad',
}

/** A plan that nobody is asked about is shown as what it is in its mode. */
const PROPOSED_SAYS: Partial<Record<Mode, Text>> = {
  observe: REMEDIATION_TEXTS.wouldDo,
  suggest: REMEDIATION_TEXTS.suggested,
}

export function phasePicture({ phase, mode }: Pick<Remediation, 'phase' | 'mode'>): { tone: Tone; says: Text } {
  const own = phase === 'proposed' ? PROPOSED_SAYS[mode] : undefined
  return { tone: PHASE_TONES[phase], says: own ?? PHASE_WORDS[phase] }
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
export const MARK_PICTURES: Readonly<Record<MarkView['state'], { readonly tone: Tone; readonly sign: string }>> = {
  marked: { tone: 'info', sign: '●' },
  'would-mark': { tone: 'info', sign: '○' },
  withheld: { tone: 'warn', sign: '▲' },
  undone: { tone: 'quiet', sign: '–' },
}

export const ROLE_TONES: Readonly<Record<OfficeView['role'], Tone>> = {
  starts: 'info',
  'stands-by': 'quiet',
  'takes-over': 'info',
  leads: 'good',
}
