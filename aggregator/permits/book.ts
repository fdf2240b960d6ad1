/**
 * The record that every leader goes by: permits without an outcome, fixes that ended lately, pauses. Pure data, and what
 * can become of it. It is one piece, so that a permit is granted on just the state that it was decided on.
 */
import type { EarlierEnd, Plan, RemediationPhase } from '../../remediators/contract.ts'
import { isOutcome } from '../../remediators/earlier.ts'
import type { Permit } from '../../remediators/permits.ts'
import type { PauseScope, ReleaseScope } from '../remediation-model.ts'
import { isOver } from './phases.ts'
import { isAfter, type Position } from './position.ts'
import type { Said } from './said.ts'

/** Guards look back no further. */
export const KEPT_MS = 86_400_000

export interface Grant {
  readonly permit: Permit
  /** Of the request that it answers. */
  readonly asked: Position
  /** Of the node then: one that is replaced takes nothing with it. */
  readonly pool?: string
  readonly plan: Pick<Plan, 'remediator' | 'reason' | 'reach'>
}

/** A fix that was carried out, under a permit or, cut off, without one. Times RFC 3339. */
export interface Ended {
  readonly node: string
  readonly pool?: string
  readonly planId: string
  /** With the id: which of several times that the same was planned. */
  readonly plannedAt: string
  readonly remediator: string
  readonly reason: string
  readonly cause: string
  readonly phase: RemediationPhase
  readonly at: string
}

export interface KeptPause {
  readonly scope: PauseScope
  readonly by: string
  readonly reason: string
  readonly at: string
  readonly until: string
}

export interface KeptRelease {
  readonly scope: ReleaseScope
  readonly by: string
  readonly at: string
}

export interface Book {
  /** Of the leader that wrote it. */
  readonly term: number
  readonly grants: readonly Grant[]
  /** In the order of their ends. */
  readonly ended: readonly Ended[]
  readonly pauses: readonly KeptPause[]
  /** What failed before is no reason any more to hold back. */
  readonly releases: readonly KeptRelease[]
}

export const EMPTY_BOOK: Book = { term: 0, grants: [], ended: [], pauses: [], releases: [] }

/** With one more, in place of an earlier one for the same plan. */
export function withGrant(book: Book, grant: Grant): Book {
  const others = book.grants.filter(({ permit }) => permit.planId !== grant.permit.planId)
  return { ...book, grants: [...others, grant] }
}

/**
 * What a node said of its fix, and of what the same plan came to before, taken into account; `book` itself when nothing is new.
 * `heardAt`: of what was so many ms old when the node said this, RFC 3339; undefined when that is too long ago to be kept.
 * `pool`: of the node now, for a fix without a permit.
 */
export function afterWord(
  book: Book,
  { remediation, position }: Said,
  heardAt: (ageMs: number) => string | undefined,
  pool: string | undefined,
): Book {
  const { plan, permitId, phase, earlier = [] } = remediation
  const isAbout = ({ permit, asked }: Grant) =>
    // What it said before it asked is not about this permit.
    permit.planId === plan.id && isAfter(position, asked) && (permitId === undefined || permitId === permit.id)
  const grant = book.grants.find(isAbout)
  const isEnd = grant !== undefined && isOver(remediation)
  const next = isEnd ? { ...book, grants: book.grants.filter((one) => one !== grant) } : book
  const before = earlier.reduce((changed, end) => {
    const ageMs = Math.max(0, Date.parse(remediation.at) - Date.parse(end.at))
    return withOutcome(changed, plan, end, heardAt(ageMs), pool)
  }, next)
  if (!isOutcome(remediation)) return before
  const { createdAt: plannedAt, reason, cause } = plan
  return withOutcome(
    before,
    plan,
    { plannedAt, reason, cause, phase },
    heardAt(0),
    grant === undefined ? pool : grant.pool,
  )
}

function withOutcome(
  book: Book,
  { node, id: planId, remediator }: Plan,
  { plannedAt, reason, cause, phase }: Omit<EarlierEnd, 'at'>,
  at: string | undefined,
  pool: string | undefined,
): Book {
  const isSame = (ended: Ended) => ended.planId === planId && ended.plannedAt === plannedAt
  const known = book.ended.find(isSame)
  if (at === undefined || known?.phase === phase) return book
  const where = known === undefined ? pool : known.pool
  const ended: Ended = {
    node,
    ...(where === undefined ? {} : { pool: where }),
    ...{ planId, plannedAt, remediator, reason, cause, phase },
    at: known?.at ?? at,
  }
  return { ...book, ended: [...book.ended.filter((one) => !isSame(one)), ended] }
}

/** A committed NodeDown ends every permit of its node. */
export function afterDeath(book: Book, isDead: (node: string) => boolean): Book {
  const grants = book.grants.filter(({ permit }) => !isDead(permit.node))
  return grants.length === book.grants.length ? book : { ...book, grants }
}

/** Without what is too old to count; never a permit. */
export function pruned(book: Book, wallMs: number): Book {
  const isRecent = ({ at }: { readonly at: string }) => wallMs - Date.parse(at) < KEPT_MS
  const ended = book.ended.filter(isRecent)
  const releases = book.releases.filter(isRecent)
  const isSame = ended.length === book.ended.length && releases.length === book.releases.length
  return isSame ? book : { ...book, ended, releases }
}

export function isPausedAt({ until }: Pick<KeptPause, 'until'>, wallMs: number): boolean {
  return Date.parse(until) > wallMs
}

/** For who has told of their end. */
export function withoutPausesOver(book: Book, wallMs: number): Book {
  return { ...book, pauses: book.pauses.filter((pause) => isPausedAt(pause, wallMs)) }
}

/** One pause for each scope: a later one takes the place of the one before. */
export function withPause(book: Book, pause: KeptPause): Book {
  return { ...withoutPause(book, pause.scope), pauses: [...withoutPause(book, pause.scope).pauses, pause] }
}

export function withoutPause(book: Book, scope: PauseScope): Book {
  return { ...book, pauses: book.pauses.filter((pause) => !isSameScope(pause.scope, scope)) }
}

export function isSameScope(a: PauseScope, b: PauseScope): boolean {
  return a.kind === b.kind && (a.kind === 'all' || b.kind === 'all' || a.name === b.name)
}

export function withRelease(book: Book, release: KeptRelease): Book {
  const isSame = ({ scope }: KeptRelease) => JSON.stringify(scope) === JSON.stringify(release.scope)
  return { ...book, releases: [...book.releases.filter((one) => !isSame(one)), release] }
}
