/** Runs the engine on a node: keeps its state on disk, takes one input after another, and has carried out what it decides. */
import { isDeepStrictEqual } from 'node:util'
import { messageOf, StarlingError } from '../common/errors.ts'
import { type Log, silentLog } from '../common/log.ts'
import { currentMoment, type Moment } from '../common/moment.ts'
import type { NodeTraits } from '../common/selector.ts'
import type { Finding, Host } from '../detectors/contract.ts'
import type { Around } from './alone.ts'
import { wantsNonce } from './begin.ts'
import { contestsIn } from './cases.ts'
import type { Plan, Remediation, Remediator } from './contract.ts'
import { carryOut, type Deed, type Means } from './deeds.ts'
import { type FixInput, step } from './engine.ts'
import { type Hands, ownHands } from './hands.ts'
import type { Decision, Permit, PermitRequest, Refusal } from './permits.ts'
import type { Policy } from './policy/model.ts'
import type { Rules } from './policy/rules.ts'
import { readRemediatorSettings } from './settings.ts'
import type { Contest, Effect, FixState } from './state.ts'
import { createFixStore, type FixStore } from './store.ts'

/** What decides what this node may do. */
export interface RuleSettings {
  readonly traits: NodeTraits
  /** By remediator name; see settings.ts. Checked here, so it may come straight from a document. */
  readonly remediators: unknown
  /** As the settings document holds them, in its order. */
  readonly policies: readonly Policy[]
}

export interface RemediationInit {
  readonly node: string
  /** The agent's state folder; fixes are kept in `fixes/` below it. */
  readonly stateDir: string
  readonly host: Host
  /** Where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
  readonly root: string
  readonly remediators: readonly Remediator[]
  readonly settings: RuleSettings
  /** A fresh report of one detector, sustained or not. May reject; then the fix is not verified. */
  readonly verify: (detector: string) => Promise<readonly Finding[]>
  /** Each is on disk before it is announced, and supersedes the last one of the same plan. */
  readonly announce: (remediation: Remediation) => void
  /** Puts a request to the leader, whose answer comes by `onPermit` or `onRefusal`, or not at all. */
  readonly ask: (request: PermitRequest) => void
  /** What somebody else sets back and is left alone: at the start, and whenever it is something else than before. */
  readonly onContests?: (contests: readonly Contest[]) => void
  /** What is known at this moment of the leader and the neighbours. */
  readonly around: () => Pick<Around, 'isLed' | 'neighbours'>
  /**
   * Gathers what could be of use afterwards, before anything is changed; resolves with where it lies, in words. Has 15 s.
   * Nothing is gathered when it is left out.
   */
  readonly collect?: (plan: Plan) => Promise<string>
  /** The remediators in this process, when left out. */
  readonly hands?: Hands
  /** In `stateDir`, when left out. */
  readonly store?: FixStore
  readonly now?: () => Moment
  readonly log?: Log
}

/** What became of what the node was told: `accepted` means recorded, to be acted on when its turn comes. */
export interface Answer {
  readonly accepted: boolean
  readonly why: string
}

export interface RemediationRoom {
  /** Everything that one detector says about this node now. Resolves when it has been taken in; never rejects. */
  onReport(report: { readonly detector: string; readonly findings: readonly Finding[] }): Promise<void>
  /** Of these three the signature must have been verified, and that the signer may say it. They never reject. */
  onDecision(decision: Decision): Promise<Answer>
  onPermit(permit: Permit): Promise<Answer>
  onRefusal(refusal: Refusal): Promise<Answer>
  /** All plans of this node, open and ended, the latest last. */
  list(): readonly Remediation[]
  /**
   * Throws a UsageError, with everything as it was, when `settings` are not valid. Nothing that waits is begun before a report
   * has shown that it fits the new ones.
   */
  reconfigure(settings: RuleSettings): void
  /** Waits for the change or look in progress, at most its time limit. What is left over goes on after the next start. */
  stop(): Promise<void>
}

const TICK_MS = 1_000

/**
 * Starts with what is on disk: a fix that was in progress is looked into at once. Rejects with a UsageError when the
 * settings are not valid, with a StarlingError when the state on disk is damaged or cannot be
 * written.
 */
export async function startRemediation(init: RemediationInit): Promise<RemediationRoom> {
  const rules = rulesOf(init, init.settings)
  const store = init.store ?? createFixStore(init.stateDir)
  const runner = new FixRunner(init, rules, store, await store.load())
  const { lost } = await runner.take({ kind: 'resume' })
  if (lost === null) return runner.room()
  await runner.room().stop()
  throw new StarlingError(`the state of fixes cannot be saved below ${init.stateDir}: ${lost}`, {
    remedy: 'make the folder writable, or turn remediation off',
  })
}

function rulesOf({ node, remediators }: RemediationInit, settings: RuleSettings): Rules {
  const { traits, policies } = settings
  return { node, traits, policies, byName: readRemediatorSettings(remediators, settings.remediators) }
}

/** How one input was taken. `lost`: it changed nothing, since the change could not be saved. */
interface Taken {
  readonly effects: readonly Effect[]
  readonly lost: string | null
}

/** These begin something or lead up to it: of no use to a process that stops. */
const BEGINNINGS: ReadonlySet<FixInput['kind']> = new Set(['tick', 'collected'])
/** The end of what was begun, which cannot be undone: it is gone on from also when it cannot be saved. */
const ENDS: ReadonlySet<FixInput['kind']> = new Set(['applied', 'verified', 'reverted'])

class FixRunner {
  readonly #init: RemediationInit
  readonly #means: Means
  readonly #store: FixStore
  readonly #log: Log
  readonly #ticks: NodeJS.Timeout
  #settings: RuleSettings
  #rules: Rules
  #state: FixState
  #turn: Promise<unknown> = Promise.resolve()
  readonly #work = new Set<Promise<unknown>>()
  #looks: Promise<unknown> = Promise.resolve()
  #stopped = false
  /** As they were told last. */
  #contests: readonly Contest[] | undefined

  constructor(init: RemediationInit, rules: Rules, store: FixStore, state: FixState) {
    const { now = currentMoment, log = silentLog, hands = ownHands(init) } = init
    this.#init = init
    this.#means = { ...init, now, log, hands }
    this.#store = store
    this.#log = log
    this.#settings = init.settings
    this.#rules = rules
    this.#state = state
    this.#ticks = setInterval(() => {
      this.#turn = this.#turn.then(() => this.#tick())
    }, TICK_MS)
    this.#ticks.unref()
  }

  room(): RemediationRoom {
    return {
      onReport: async ({ detector, findings }) => {
        if (!this.#stopped) await this.take({ kind: 'report', detector, findings })
      },
      onDecision: (decision) => this.#answer({ kind: 'decision', decision }),
      onPermit: (permit) => this.#answer({ kind: 'permit', permit }),
      onRefusal: (refusal) => this.#answer({ kind: 'refusal', refusal }),
      list: () => this.#state.fixes.map((fix) => fix.remediation),
      reconfigure: (settings) => this.#reconfigure(settings),
      stop: () => this.#stop(),
    }
  }

  /** Takes `input` after those before it, then looks what is due. Never rejects. */
  take(input: FixInput): Promise<Taken> {
    const taken = this.#turn.then(async () => {
      const result = await this.#step(input)
      await this.#tick()
      return result
    })
    this.#turn = taken
    return taken
  }

  async #tick(): Promise<void> {
    if (this.#stopped) return
    try {
      await this.#step({ kind: 'tick', around: await this.#around() })
    } catch (error) {
      this.#log.error({ err: messageOf(error) }, 'it could not be looked what is due')
    }
  }

  /** A nonce is fetched only for a request that is to be made: its time begins when it is handed out. */
  async #around(): Promise<Around> {
    const around = { ...this.#init.around(), nonce: undefined, chance: Math.random() }
    if (!wantsNonce(this.#state, this.#means.now())) return around
    try {
      return { ...around, nonce: await this.#means.hands.challenge() }
    } catch (error) {
      return { ...around, handless: messageOf(error) }
    }
  }

  #reconfigure(settings: RuleSettings): void {
    if (isDeepStrictEqual(settings, this.#settings)) return
    this.#rules = rulesOf(this.#init, settings)
    this.#settings = settings
    void this.take({ kind: 'reconfigured' })
  }

  async #answer(input: Extract<FixInput, { kind: 'decision' | 'permit' | 'refusal' }>): Promise<Answer> {
    if (this.#stopped) return { accepted: false, why: 'the agent is stopping' }
    const { effects, lost } = await this.take(input)
    if (lost !== null) return { accepted: false, why: `it could not be recorded: ${lost}` }
    const refusal = effects.find((effect) => effect.kind === 'refuse')
    return refusal === undefined ? { accepted: true, why: 'recorded' } : { accepted: false, why: refusal.why }
  }

  async #step(input: FixInput): Promise<Taken> {
    // While it stops, the end of a change is still recorded, but nothing new is begun.
    if (this.#stopped && BEGINNINGS.has(input.kind)) return { effects: [], lost: null }
    try {
      const { state, effects } = step(this.#rules, this.#state, this.#means.now(), input)
      if (effects.some(({ kind }) => kind === 'save')) await this.#save(input, state)
      this.#state = state
      for (const effect of effects) this.#perform(effect)
      this.#tellContests()
      return { effects, lost: null }
    } catch (error) {
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
      if (!ENDS.has(input.kind)) throw error
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
      case 'ask':
        this.#ask(effect.request)
        return
      case 'refuse':
        this.#log.warn({ [effect.what]: effect.id, why: effect.why }, `a ${effect.what} was refused`)
        return
      default:
        this.#begin(effect)
    }
  }

  #tellContests(): void {
    const contests = contestsIn(this.#state)
    if (isDeepStrictEqual(contests, this.#contests)) return
    this.#contests = contests
    this.#init.onContests?.(contests)
  }

  #begin(deed: Deed): void {
    // Many faults can come at once: remediators look into them one after the other.
    const before = deed.kind === 'inspect' ? this.#looks : undefined
    const work = this.#do(deed, before)
    if (deed.kind === 'inspect') this.#looks = work
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work))
  }

  async #do(deed: Deed, before?: Promise<unknown>): Promise<void> {
    if (before !== undefined) await before
    if (!this.#stopped) await this.take(await carryOut(this.#means, deed))
  }

  #announce(remediation: Remediation): void {
    const { plan, phase, why } = remediation
    this.#log.info({ plan: plan.id, remediator: plan.remediator, phase, why }, 'a fix entered a phase')
    this.#tell(plan.id, () => this.#init.announce(remediation))
  }

  #ask(request: PermitRequest): void {
    this.#log.info({ plan: request.planId, mode: request.mode }, 'the leader is asked for a permit')
    this.#tell(request.planId, () => this.#init.ask(request))
  }

  /** What is not told now is told again: a phase after a restart, a request when there is no answer. */
  #tell(plan: string, say: () => void): void {
    try {
      say()
    } catch (error) {
      this.#log.error({ plan, err: messageOf(error) }, 'something about a fix could not be said')
    }
  }

  async #stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#ticks)
    await this.#turn
    await Promise.all(this.#work)
    await this.#turn
  }
}
