/** Which tone each state of a thing is shown in. */
import type { FindingStatus } from '../../../detectors/contract.ts'
import type { RemediationPhase } from '../../../remediators/contract.ts'
import type { MemberState, StoredEvent, VoteView } from '../../model.ts'
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
