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
  /** `isReadyWritten`: Ready=False was written for it, so that who finds Ready=True knows that somebody wrote it since. */
  readonly verdict?: {
    readonly kind: VerdictKind
    readonly incarnation: Incarnation
    readonly isReadyWritten: boolean
  }
  /** RFC 3339: by then it is written again, or nobody stands by it any more. */
  readonly until: string
}

const FORM =
  /^(.*) \[(verdict|finding)=(\S+) term=(\d+)(?: kind=(NodeDown|HostHung|Isolated) life=(\d+)\.(\d+)\.(\d+)( ready=False)?)? until=(\S+)\]$/s

/** A condition's message may be long, but kubectl shows it whole. */
const SAYS_CHARS_MAX = 400

export function formatEvidence({ says, id, term, verdict, until }: Evidence): string {
  const text = says.length > SAYS_CHARS_MAX ? `${says.slice(0, SAYS_CHARS_MAX)}...` : says
  const ready = verdict?.isReadyWritten ? ' ready=False' : ''
  const life =
    verdict === undefined ? '' : ` kind=${verdict.kind} life=${formatIncarnation(verdict.incarnation)}${ready}`
  const word = verdict === undefined ? 'finding' : 'verdict'
  return `${text} [${word}=${encodeURIComponent(id)} term=${term}${life} until=${until}]`
}

/** Undefined for a message that is not of this form. */
export function parseEvidence(message: string | undefined): Evidence | undefined {
  const match = FORM.exec(message ?? '')
  if (match === null) return undefined
  const [, says = '', , id = '', term, kind, serial, boot, refutations, ready, until = ''] = match
  const incarnation = { serial: Number(serial), boot: Number(boot), refutations: Number(refutations) }
  const verdict = { kind: kind as VerdictKind, incarnation, isReadyWritten: ready !== undefined }
  return { says, id: decoded(id), term: Number(term), ...(kind === undefined ? {} : { verdict }), until }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
