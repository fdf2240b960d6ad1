/**
 * The election of this aggregator, on real time: mesh/election/ decides, this reads and writes the Lease, knocks, and tells
 * the mesh. It is what a marker asks before each write.
 */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Incarnation, Millis, Roster } from '../../mesh/core/model.ts'
import { Election } from '../../mesh/election/election.ts'
import { holderName, nodeOfHolder } from '../../mesh/election/holder.ts'
import type { Answer, ElectionEffect, ElectionInput, ElectionNotice } from '../../mesh/election/model.ts'
import type { Renewals } from '../../mesh/election/renewals.ts'
import { ELECTION_TIMING } from '../../mesh/election/timing.ts'
import { knock } from './knock.ts'
import type { LeaseStore } from './lease.ts'

export interface ElectionOptions {
  readonly node: string
  readonly incarnation: Incarnation
  /** The latest that this aggregator has on record; 0 for none. */
  readonly term: number
  readonly store: LeaseStore
  readonly log: Log
  /** The one in force: it has the addresses of the other aggregators. */
  roster(): Roster
  /** Ask the mesh whom this aggregator would reach; `reach` follows. */
  canvass(term: number): void
  /**
   * This aggregator leads from now on; must have kept the term when it returns. `after`: the term of the leader before, 0
   * for none. An aggregator's own record of verdicts is complete only if that is the latest term that it has on record.
   */
  lead(term: number, after: number): void
  /** It leads no more, and must not write. */
  standBy(why: string): void
  onNotice(notice: ElectionNotice): void
}

export interface RunningElection {
  /** Of this leadership, or of the latest. */
  readonly term: number
  readonly renewals: Pick<Renewals, 'firstSince'>
  readonly leads: boolean
  /** The Lease as it was last read, which who stands by does every second: when, monotonic, and which aggregator held it. */
  readonly lastRead: { readonly atMs: Millis; readonly holder: string | undefined } | undefined
  /** True only while this process leads and renewed its Lease less than 5 s ago. To be asked right before each write. */
  mayWrite(): boolean
  /** A roll-call or a canvass of this aggregator is over. */
  reach(reach: Omit<Extract<ElectionInput, { kind: 'reach' }>, 'kind'>): void
  /** Another aggregator called the roll under this term. */
  called(term: number): void
  /** Gives the Lease up, if it is held, when what was sent under it is over: within about five seconds. */
  stop(): Promise<void>
}

export function startElection(options: ElectionOptions): RunningElection {
  const { node, incarnation, term, store, log } = options
  const holder = holderName(node, incarnation)
  const election = new Election(performance.now(), { holder, timing: ELECTION_TIMING, term, random: Math.random })
  let timer: NodeJS.Timeout | undefined
  let stopped: () => void = () => {}
  let lastRead: RunningElection['lastRead']

  function step(input: ElectionInput): void {
    for (const effect of election.step(performance.now(), input)) perform(effect)
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    if (election.isStopped) stopped()
    else if (election.nextAt < Number.POSITIVE_INFINITY) {
      timer = setTimeout(() => step({ kind: 'tick' }), Math.max(0, election.nextAt - performance.now()))
    }
  }

  function perform(effect: ElectionEffect): void {
    switch (effect.kind) {
      case 'read':
        void ask(
          () => store.read(),
          (lease) => {
            lastRead = { atMs: performance.now(), holder: nodeOfHolder(lease?.holder ?? '') }
            return { kind: 'read', lease }
          },
          { kind: 'readFailed' },
        )
        return
      case 'write':
        void ask(
          () => store.write(effect.claim, effect.over),
          (version) => (version === undefined ? { kind: 'conflict' } : { kind: 'written', version }),
          { kind: 'writeFailed' },
        )
        return
      case 'knock':
        void askHolder(effect.holder).then((answer) => step({ kind: 'knocked', holder: effect.holder, answer }))
        return
      case 'canvass':
        options.canvass(effect.term)
        return
      case 'lead':
        log.warn({ term: effect.term }, 'this aggregator leads')
        options.lead(effect.term, effect.after)
        return
      case 'standBy':
        log.warn({ why: effect.why }, 'this aggregator stands by')
        options.standBy(effect.why)
        return
      case 'notice':
        options.onNotice(effect.notice)
        return
    }
  }

  /** The store ends every request in time; whatever comes of it is one answer. */
  async function ask<T>(
    request: () => Promise<T>,
    answer: (value: T) => ElectionInput,
    failed: ElectionInput,
  ): Promise<void> {
    const input = await request().then(answer, (error: unknown) => {
      log.info({ err: messageOf(error) }, 'the Lease is not reached')
      return failed
    })
    step(input)
  }

  async function askHolder(other: string): Promise<Answer> {
    const name = nodeOfHolder(other)
    // An earlier life of this aggregator: this process has its identity, its port, and its place.
    if (name === node) return 'refused'
    const member = options.roster().aggregators.find((aggregator) => aggregator.node === name)
    return member === undefined ? 'nothing' : await knock(member)
  }

  // Not while the mesh node is in the middle of what it was told.
  const later = (input: ElectionInput) => void setImmediate(() => step(input))
  const now = (): Millis => performance.now()
  schedule()
  return {
    get term() {
      return election.term
    },
    get leads() {
      return election.leads
    },
    get lastRead() {
      return lastRead
    },
    renewals: election.renewals,
    mayWrite: () => election.mayWrite(now()),
    reach: (reach) => later({ kind: 'reach', ...reach }),
    called: (calledTerm) => later({ kind: 'called', term: calledTerm }),
    stop: async () => {
      const over = new Promise<void>((resolve) => {
        stopped = resolve
      })
      step({ kind: 'stop' })
      await over
    },
  }
}
