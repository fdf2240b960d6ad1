/** Carries out what the engine decides: keeps its state on disk, changes the host, and takes one input after another. */
import { formatDuration } from '../common/duration.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import { type Log, silentLog } from '../common/log.ts'
import { currentMoment, type Moment } from '../common/moment.ts'
import type { Finding, Host } from '../detectors/contract.ts'
import type { Control, Plan, Remediation, Remediator } from './contract.ts'
import { createControl } from './control.ts'
import { type FixInput, step } from './engine.ts'
import type { Decision } from './permits.ts'
import { type Rules, readRemediatorSettings } from './settings.ts'
import type { Effect, FixState } from './state.ts'
import { createFixStore, type FixStore } from './store.ts'

export interface RemediationInit {
  readonly node: string
  /** The agent's state folder; fixes are kept in `fixes/` below it. */
  readonly stateDir: string
  readonly host: Host
  /** Where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
  readonly root: string
  readonly remediators: readonly Remediator[]
  /** By remediator name; see settings.ts. Checked here, so it may come straight from a document. */
  readonly settings: unknown
  /** A fresh report of one detector, sustained or not. May reject; then the fix is not verified. */
  readonly verify: (detector: string) => Promise<readonly Finding[]>
  /** Each is on disk before it is announced, and supersedes the last one of the same plan. */
  readonly announce: (remediation: Remediation) => void
  readonly now?: () => Moment
  /** A plan that was turned down or did not work is not made again for this long; 10 minutes if left out. */
  readonly coolDownMs?: number
  readonly log?: Log
}

/** What became of a decision: `accepted` means recorded, to be acted on when its turn comes. */
export interface DecisionAnswer {
  readonly accepted: boolean
  readonly why: string
}

export interface RemediationRoom {
  /** Everything that one detector says about this node now. Resolves when it has been taken in; never rejects. */
  onReport(report: { readonly detector: string; readonly findings: readonly Finding[] }): Promise<void>
  /** The decision's signature must have been verified. Never rejects. */
  onDecision(decision: Decision): Promise<DecisionAnswer>
  /** All plans of this node, open and ended, the latest last. */
  list(): readonly Remediation[]
  /** Throws a UsageError, with everything as it was, when `settings` are not valid. Open plans follow at the next report. */
  reconfigure(settings: unknown): void
  /** Waits for the change or look in progress, at most its time limit. What is left over goes on after the next start. */
  stop(): Promise<void>
}

/** Writing a few files takes milliseconds; after this long the result is unclear, and everything is put back. */
const CHANGE_WITHIN_MS = 30_000
/** More than any detector's own timeout. */
const VERIFY_WITHIN_MS = 60_000
const COOL_DOWN_MS = 600_000
const TICK_MS = 1_000

/**
 * Starts with what is on disk: a fix that was in progress is looked into at once. Rejects with a UsageError when the
 * settings are not valid, with a StarlingError when the state on disk is damaged or cannot be
 * written.
 */
export async function startRemediation(init: RemediationInit): Promise<RemediationRoom> {
  const { node, coolDownMs = COOL_DOWN_MS } = init
  const rules: Rules = { node, coolDownMs, byName: readRemediatorSettings(init.remediators, init.settings) }
  const store = createFixStore(init.stateDir)
  const runner = new FixRunner(init, rules, store, await store.load())
  const { lost } = await runner.take({ kind: 'resume' })
  if (lost === null) return runner.room()
  await runner.room().stop()
  throw new StarlingError(`the state of fixes cannot be saved below ${init.stateDir}: ${lost}`, {
    remedy: 'make the folder writable, or turn remediation off',
  })
}

/** How one input was taken. `lost`: it changed nothing, since the change could not be saved. */
interface Taken {
  readonly effects: readonly Effect[]
  readonly lost: string | null
}

class FixRunner {
  readonly #init: RemediationInit
  readonly #store: FixStore
  readonly #now: () => Moment
  readonly #log: Log
  readonly #ticks: NodeJS.Timeout
  #rules: Rules
  #state: FixState
  #turn: Promise<unknown> = Promise.resolve()
  #work: Promise<unknown> = Promise.resolve()
  #stopped = false

  constructor(init: RemediationInit, rules: Rules, store: FixStore, state: FixState) {
    this.#init = init
    this.#store = store
    this.#now = init.now ?? currentMoment
    this.#log = init.log ?? silentLog
    this.#rules = rules
    this.#state = state
    this.#ticks = setInterval(() => void this.take({ kind: 'tick' }), TICK_MS)
    this.#ticks.unref()
  }

  room(): RemediationRoom {
    return {
      onReport: async ({ detector, findings }) => {
        if (!this.#stopped) await this.take({ kind: 'report', detector, findings })
      },
      onDecision: (decision) => this.#takeDecision(decision),
      list: () => this.#state.fixes.map((fix) => fix.remediation),
      reconfigure: (settings) => {
        this.#rules = { ...this.#rules, byName: readRemediatorSettings(this.#init.remediators, settings) }
      },
      stop: () => this.#stop(),
    }
  }

  /** Takes `input` after those before it, then looks what is due. Never rejects. */
  take(input: FixInput): Promise<Taken> {
    const taken = this.#turn.then(async () => {
      const result = await this.#step(input)
      if (input.kind !== 'tick') await this.#step({ kind: 'tick' })
      return result
    })
    this.#turn = taken
    return taken
  }

  async #takeDecision(decision: Decision): Promise<DecisionAnswer> {
    if (this.#stopped) return { accepted: false, why: 'the agent is stopping' }
    const { effects, lost } = await this.take({ kind: 'decision', decision })
    if (lost !== null) return { accepted: false, why: `it could not be recorded: ${lost}` }
    const refusal = effects.find((effect) => effect.kind === 'refuse')
    return refusal === undefined ? { accepted: true, why: 'recorded' } : { accepted: false, why: refusal.why }
  }

  async #step(input: FixInput): Promise<Taken> {
    const before = this.#state
    try {
      const { state, effects } = step(this.#rules, before, this.#now(), input)
      // While it stops, the end of a change is still recorded, but nothing new is begun.
      if (this.#stopped && input.kind === 'tick') return { effects: [], lost: null }
      this.#state = state
      if (effects.some(({ kind }) => kind === 'save')) await this.#save(input, state)
      for (const effect of effects) this.#perform(effect)
      return { effects, lost: null }
    } catch (error) {
      this.#state = before
      this.#log.error({ input: input.kind, err: messageOf(error) }, 'an input of the fixes was not taken')
      return { effects: [], lost: messageOf(error) }
    }
  }

  /**
   * Throws when the state could not be saved and what follows must not be done. The end of a step that was begun cannot be
   * undone, and is safe to go on from: after a crash the state before it makes the agent look before it does anything.
   */
  async #save(input: FixInput, state: FixState): Promise<void> {
    try {
      await this.#store.save(state)
    } catch (error) {
      if (input.kind !== 'applied' && input.kind !== 'verified' && input.kind !== 'reverted') throw error
      this.#log.error({ input: input.kind, err: messageOf(error) }, 'the state of a fix could not be saved')
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'save':
        return
      case 'announce':
        this.#announce(effect.remediation)
        return
      case 'refuse':
        this.#log.warn({ decision: effect.decisionId, plan: effect.planId, why: effect.why }, 'a decision was refused')
        return
      case 'apply':
      case 'verify':
      case 'revert':
        if (this.#stopped) return
        this.#work = this.#carryOut(effect.kind, effect.plan).then((input) => this.take(input))
    }
  }

  #announce(remediation: Remediation): void {
    const { plan, phase, why } = remediation
    this.#log.info({ plan: plan.id, remediator: plan.remediator, phase, why }, 'a fix entered a phase')
    try {
      this.#init.announce(remediation)
    } catch (error) {
      this.#log.error({ plan: plan.id, err: messageOf(error) }, 'a fix was not announced')
    }
  }

  async #carryOut(kind: 'apply' | 'verify' | 'revert', plan: Plan): Promise<FixInput> {
    switch (kind) {
      case 'apply':
        return { kind: 'applied', planId: plan.id, result: await this.#apply(plan) }
      case 'verify':
        return { kind: 'verified', planId: plan.id, findings: await this.#verify(plan) }
      case 'revert':
        return { kind: 'reverted', planId: plan.id, failure: await this.#revert(plan) }
    }
  }

  async #apply(plan: Plan): Promise<Extract<FixInput, { kind: 'applied' }>['result']> {
    try {
      const remediator = this.#remediatorOf(plan)
      await within(CHANGE_WITHIN_MS, (signal) => remediator.apply(plan, this.#controlOf(remediator), signal))
      return { kind: 'ok' }
    } catch (error) {
      // By name, since a plugin can bring a copy of the class of its own.
      const stale = error instanceof Error && error.name === 'StalePlan'
      return { kind: stale ? 'stale' : 'failed', why: messageOf(error) }
    }
  }

  async #verify(plan: Plan): Promise<readonly Finding[]> {
    try {
      return await within(VERIFY_WITHIN_MS, () => this.#init.verify(plan.detector))
    } catch (error) {
      this.#log.warn({ plan: plan.id, detector: plan.detector, err: messageOf(error) }, 'a fix could not be verified')
      return []
    }
  }

  async #revert(plan: Plan): Promise<string | null> {
    try {
      const remediator = this.#remediatorOf(plan)
      await within(CHANGE_WITHIN_MS, (signal) => remediator.revert(plan, this.#controlOf(remediator), signal))
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  #controlOf({ touches }: Remediator): Control {
    return createControl({ host: this.#init.host, root: this.#init.root, touches })
  }

  #remediatorOf({ remediator }: Plan): Remediator {
    const rule = this.#rules.byName.get(remediator)
    if (rule === undefined) throw new Error(`there is no remediator ${remediator}`)
    return rule.remediator
  }

  async #stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#ticks)
    await this.#turn
    await this.#work
    await this.#turn
  }
}

/** Rejects after `limitMs`, with the signal aborted so that nothing new is begun. */
async function within<T>(limitMs: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new Error(`no end within ${formatDuration(limitMs)}`)
    abort.abort(error)
    reject(error)
  }, limitMs)
  try {
    return await Promise.race([act(abort.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
