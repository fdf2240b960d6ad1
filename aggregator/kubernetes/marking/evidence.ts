/**
 * What our condition's message says, for people and for the leader that comes after this one: whose verdict it is, of
 * which life, and what was written for it. It is the commit record on the Node itself.
 */
import type { Incarnation, VerdictKind } from '../../../mesh/core/model.ts'
import { formatIncarnation } from '../../../mesh/core/model.ts'

export interface Evidence {
  /** One sentence for people, without the words below. */
  readonly says: string
  /** Of the verdict, or of the finding. */
  readonly id: string
  readonly term: number
  readonly verdict?: { readonly kind: VerdictKind; readonly incarnation: Incarnation }
  /** RFC 3339: by then it is written again, or nobody stands by it any more. */
  readonly until: string
}

const FORM =
  /^(.*) \[(verdict|finding)=(\S+) term=(\d+)(?: kind=(NodeDown|HostHung|Isolated) life=(\d+)\.(\d+)\.(\d+))? until=(\S+)\]$/s

/** A condition's message may be long, but kubectl shows it whole. */
const SAYS_CHARS_MAX = 400

export function formatEvidence({ says, id, term, verdict, until }: Evidence): string {
  const text = says.length > SAYS_CHARS_MAX ? `${says.slice(0, SAYS_CHARS_MAX)}...` : says
  const life = verdict === undefined ? '' : ` kind=${verdict.kind} life=${formatIncarnation(verdict.incarnation)}`
  const word = verdict === undefined ? 'finding' : 'verdict'
  return `${text} [${word}=${encodeURIComponent(id)} term=${term}${life} until=${until}]`
}

/** Undefined for a message that is not of this form. */
export function parseEvidence(message: string | undefined): Evidence | undefined {
  const match = FORM.exec(message ?? '')
  if (match === null) return undefined
  const [, says = '', , id = '', term, kind, serial, boot, refutations, until = ''] = match
  const life = { serial: Number(serial), boot: Number(boot), refutations: Number(refutations) }
  const verdict = kind === undefined ? {} : { verdict: { kind: kind as VerdictKind, incarnation: life } }
  return { says, id: decoded(id), term: Number(term), ...verdict, until }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
