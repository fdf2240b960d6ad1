/**
 * How many observers must agree (docs/protocol.md, votes). Pure counting, kept apart from where the answers come from,
 * so that it can be held against a brute-force reference.
 */
import type { Answer, VerdictKind } from './model.ts'

/** What the answers can show. Whether the node is Isolated is not for observers to say: its Lease tells. */
export type Silence = Exclude<VerdictKind, 'Isolated'>

/** F, the least votes that may ever convict, by the number of observers assigned; Infinity: too few to convict at all. */
export function floorOf(assigned: number): number {
  if (assigned >= 8) return 5
  if (assigned >= 5) return 4
  if (assigned >= 3) return 3
  return assigned === 2 ? 2 : Number.POSITIVE_INFINITY
}

/** One fault may keep two observers from the third node: what they see convicts it only if its Lease is stale, too. */
export function needsLease(assigned: number): boolean {
  return assigned <= 2
}

/** L, the number of fresh answers for "its host lives" that veto a verdict. */
export function vetoOf(assigned: number): number {
  if (assigned >= 8) return 3
  if (assigned >= 5) return 2
  return 1
}

/** H: a majority of the observers not excused, and never below F. */
export function neededOf(assigned: number, eligible: number): number {
  return Math.max(Math.floor(eligible / 2) + 1, floorOf(assigned))
}

export interface Question {
  readonly subject: string
  readonly kind: Silence
  /** The subject's observers (A), with their zones. */
  readonly assigned: ReadonlyMap<string, string>
  /** Observers excused by proof: they have a standing verdict themselves, or reach theirs in this same roll-call. */
  readonly excused: ReadonlySet<string>
  /** HostHung: how long each silent observer must have heard nothing. */
  readonly hungMs: number
}

export type Tally =
  | { readonly kind: 'carried'; readonly needed: number; readonly voters: readonly string[] }
  /** Not enough votes (yet): more answers may still change it. */
  | { readonly kind: 'short'; readonly needed: number; readonly voters: readonly string[]; readonly why: string }
  | { readonly kind: 'vetoed'; readonly needed: number; readonly alive: readonly string[]; readonly why: string }
  /** Too few fit observers to decide, whatever the rest say. */
  | { readonly kind: 'blind'; readonly needed: number; readonly why: string }

/** Counts the answers of one roll-call about one subject. `answers` hold at most one per voter, all verified. */
export function tally(question: Question, answers: readonly Answer[]): Tally {
  const { assigned, excused } = question
  const heard = answers.filter((answer) => assigned.has(answer.voter) && !excused.has(answer.voter))
  const abstained = heard.filter((answer) => answer.opinion === 'Abstain').length
  const eligible = [...assigned.keys()].filter((node) => !excused.has(node)).length - abstained
  const needed = neededOf(assigned.size, eligible)
  if (eligible < floorOf(assigned.size)) {
    return { kind: 'blind', needed, why: `only ${eligible} of ${assigned.size} observers are fit to vote` }
  }
  const alive = heard.filter((answer) => showsLife(answer, question.kind)).map((answer) => answer.voter)
  if (alive.length >= vetoOf(assigned.size)) {
    return { kind: 'vetoed', needed, alive, why: `${alive.length} observers see life: ${alive.join(', ')}` }
  }
  const silent = heard.filter((answer) => supports(answer, question))
  const voters = silent.map((answer) => answer.voter)
  if (question.kind === 'NodeDown' && needsLease(assigned.size)) {
    return { kind: 'short', needed, voters, why: `${assigned.size} observers convict by the slow path alone` }
  }
  // The slow path waits for every fit observer: a hung host has no hard evidence, only the absence of any other view.
  const wanted = question.kind === 'HostHung' ? Math.max(needed, eligible) : needed
  if (voters.length < wanted) {
    return { kind: 'short', needed: wanted, voters, why: `${voters.length} of ${wanted} votes` }
  }
  const zonesThatAnswered = new Set(heard.map((answer) => assigned.get(answer.voter)))
  const zonesOfVoters = new Set(voters.map((voter) => assigned.get(voter)))
  if (zonesThatAnswered.size >= 2 && zonesOfVoters.size < 2) {
    return { kind: 'short', needed: wanted, voters, why: 'all votes come from one zone while another answers' }
  }
  return { kind: 'carried', needed: wanted, voters }
}

/** An ack, or an answer of the host itself that contradicts this kind of verdict. */
function showsLife(answer: Answer, kind: Silence): boolean {
  if (answer.opinion === 'Alive') return true
  if (answer.opinion === 'Abstain') return false
  if (answer.channel === 'userland' || answer.channel === 'refused' || answer.channel === 'lossy') return true
  return kind === 'NodeDown' && answer.channel === 'mute'
}

function supports(answer: Answer, { kind, hungMs }: Question): boolean {
  if (kind === 'NodeDown') return answer.opinion === 'NodeDown' && answer.channel === 'nothing'
  return (answer.opinion === 'HostHung' || answer.opinion === 'NodeDown') && answer.forMs >= hungMs
}
