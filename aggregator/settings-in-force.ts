/**
 * The settings, at the aggregator that hands them out: which are in force, which are on their way, and how far. They come
 * from the operator's file or by the API; either way they are checked, signed and rolled out in stages.
 */
import { randomBytes } from 'node:crypto'
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'
import { changesNodes } from '../settings/differences.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { type Announcement, encodeAnnouncement, SETTINGS_TOPIC, type Upcoming } from '../settings/notes.ts'
import { type Placed, type RolloutSettings, readRollout } from '../settings/stages.ts'
import { validateSettings } from '../settings/validate.ts'
import type { Event } from './model.ts'
import type { Release } from './remediation-model.ts'
import { everySo, retried } from './retried.ts'
import { type Before, before, firstStage, judgeStage, type Outcome, runByMost } from './rollout-rules.ts'
import { AT_ONCE, type Decided, dataOf, decidedIn, later } from './settings-decided.ts'
import { readSettingsFile, requireMesh } from './settings-file.ts'
import { SettingsHeard } from './settings-heard.ts'
import { SettingsLedger } from './settings-ledger.ts'
import type { Proposal, Rollback, SettingsDetail, SettingsView } from './settings-model.ts'
import { AT_FIRST, type Progress, replacedBy } from './settings-progress.ts'
import type { SettingsInit, SettingsMesh } from './settings-sides.ts'
import { SettingsTold } from './settings-told.ts'
import { settingsView } from './settings-view.ts'
import { StageWatch } from './stage-watch.ts'
import { watchChanges } from './watch-file.ts'

/** What is said of settings is said again well before the note that carries it expires. */
const SAID_TTL_MS = 86_400_000
const SAY_AGAIN_MS = SAID_TTL_MS / 4
const LOOK_EVERY_MS = 1_000
/** For so long a node that is enrolled after an aggregator left can be without the settings that one signed. */
const VOUCH_EVERY_MS = 60_000

export class SettingsInForce {
  readonly #init: SettingsInit
  readonly #ledger: SettingsLedger
  readonly #heard: SettingsHeard
  readonly #watch = new StageWatch()
  readonly #told: SettingsTold
  #progress: Progress
  #document: SettingsDocument
  /** Newer than all that was: begun once this aggregator leads and has heard the nodes. */
  #waiting: Decided | undefined
  readonly #beginWaiting: () => void
  #mesh: SettingsMesh | undefined
  #stops: readonly (() => void)[] = []

  /** A file that would be refused leaves in force what was: an aggregator must come back. Throws where nothing was. */
  constructor(init: SettingsInit) {
    this.#init = init
    this.#ledger = new SettingsLedger(init)
    this.#heard = new SettingsHeard(this.#ledger)
    this.#told = new SettingsTold(init.log)
    this.#beginWaiting = retried(() => this.#beginNext(), 'settings that wait cannot be put on record', init.log)
    const { progress } = this.#ledger
    if (progress === undefined) {
      this.#document = readSettingsFile(init)
      this.#progress = { said: { current: this.#ledger.keep(this.#document), next: null }, ...AT_FIRST }
      return
    }
    this.#progress = progress
    this.#document = this.#ledger.documentOf(progress.said.current)
    try {
      this.#consider(readSettingsFile(init))
    } catch (error) {
      this.#told.refused(messageOf(error))
    }
  }

  /** In force; what is on its way is not. */
  get document(): SettingsDocument {
    return this.#document
  }

  /** What a node may be running: what is in force, and what is on its way once that is for it. */
  documentsFor(node: Placed): readonly SettingsDocument[] {
    return this.#ledger.documentsFor(this.#progress.said, node)
  }

  /** The mesh runs: from now on the file is watched. */
  start(mesh: SettingsMesh): void {
    this.#mesh = mesh
    this.#told.start(mesh.story)
    this.#exchange()
    const turns = [
      [SAY_AGAIN_MS, () => this.#say()],
      [LOOK_EVERY_MS, () => this.#look(mesh)],
      [VOUCH_EVERY_MS, () => this.#vouch(mesh)],
    ] as const
    const { file, log } = this.#init
    this.#stops = [everySo(turns, 'settings are not looked after', log), watchChanges(file, () => this.readAgain())]
  }

  /** This aggregator leads from now on, and tells the mesh. */
  leads(): void {
    this.#watch.leads(performance.now())
    this.#become({ since: Date.now() })
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  /** Another aggregator said it, or this one in an earlier life that it has no record of. */
  hear(said: Announcement): void {
    if (this.#heard.hear(said, this.#progress.said)) this.#adopt()
  }

  /** A neighbour had these, which were sought. */
  take(bytes: Uint8Array): void {
    const why = this.#ledger.take(bytes)
    if (why !== undefined) {
      this.#init.log.warn({ why }, 'settings of another aggregator refused')
      this.#heard.forget()
    }
    this.#adopt()
  }

  /** An event went on record: another aggregator's may tell of what a person decided, and the mesh never heard. */
  recorded(event: Pick<Event, 'kind' | 'data'>): void {
    const decided = decidedIn(event, this.#ledger)
    if (decided === undefined || decided.document.version < this.#nextVersion) return
    this.#waiting = later(this.#waiting, decided)
  }

  view(): SettingsView {
    const { members = () => [], applied = () => new Map(), holds } = this.#mesh ?? {}
    return settingsView(this.#progress, members(), applied(), holds?.held ?? [])
  }

  detail(): SettingsDetail {
    const versions = this.#ledger.versions.map(({ version, at }) => ({ version, at }))
    return { ...this.view(), document: this.#document, versions }
  }

  /** Throws UsageError when the document is not valid or not newer. */
  propose({ document: given, rollout = {}, via }: Proposal, by: string): Event {
    const document = validateSettings(given, 'the settings', this.#init.registries())
    requireMesh(document, 'the settings', this.#init.mesh)
    this.#requireNewer(document)
    const says = `settings version ${document.version} handed in by ${by} (${via})`
    const event = this.#running().story.decided(document.version, says, dataOf(document, rollout, this.#ledger))
    this.#begin(document, rollout)
    return event
  }

  /** Throws StarlingError when there is nothing to go back to. */
  rollBack({ version: wanted, reason, via }: Rollback, by: string): Event {
    const { current, next } = this.#progress.said
    const held = this.#ledger.toGoBackTo(wanted, this.#progress.said)
    const document = { ...this.#ledger.documentOf(held), version: this.#nextVersion }
    const says = `settings go back to version ${held.version}, as version ${document.version}, by ${by} (${via}): ${reason}`
    const event = this.#running().story.decided(document.version, says, dataOf(document, AT_ONCE, this.#ledger))
    this.#enforce(document, { version: next?.version ?? current.version, outcome: 'replaced', why: says })
    return event
  }

  /** Throws StarlingError when nothing of that detector is held. */
  release(detector: string, release: Release, by: string): Event {
    return this.#running().holds.release(detector, release, by)
  }

  #look(mesh: SettingsMesh): void {
    this.#told.again()
    if (!mesh.leads()) return
    const nowMs = performance.now()
    // Not before it is known how the nodes are without it: what they had already would be taken for its doing.
    if (this.#watch.isSettled(nowMs)) this.#beginWaiting()
    const { said, before: was } = this.#progress
    const { next } = said
    const forMs = this.#watch.forMs(nowMs)
    if (next === null || forMs === undefined) return
    if (next.halted !== null) {
      this.#undo(next.version, next.onHalt, next.halted)
      return
    }
    const nodes = mesh.nodesSeen()
    const outcome = judgeStage(next, nodes, was, forMs)
    if (outcome.kind !== 'wait') this.#goOn(outcome, was ?? before(nodes))
  }

  /** `was`: how the nodes were before; of a stage that ended well under another leader than began it, as they are now. */
  #goOn(outcome: Exclude<Outcome, { kind: 'wait' }>, was: Before): void {
    const { current, next } = this.#progress.said
    if (next === null) return
    const { version, digest, step } = next
    switch (outcome.kind) {
      case 'done': {
        const last = { version, outcome: 'done', why: '' } as const
        this.#become({ said: { current: { version, digest }, next: null }, last })
        return
      }
      case 'advance':
        this.#stage({ said: { current, next: { ...next, reach: outcome.reach, step: step + 1 } }, before: was })
        this.#tellStage()
        return
      case 'halt': {
        const { why, evidence } = outcome
        const last = { version, outcome: 'halted', why } as const
        this.#init.log.warn({ version, why }, 'settings halted')
        this.#running().story.halted(version, why, evidence)
        this.#become({ said: { current, next: { ...next, halted: why.slice(0, 1_000), step: step + 1 } }, last })
        this.#undo(version, next.onHalt, why)
        return
      }
    }
  }

  /** Also what an aggregator halted that ended before it undid it. */
  #undo(version: number, onHalt: Upcoming['onHalt'], why: string): void {
    if (onHalt === 'hold') return
    const document = { ...this.#document, version: this.#nextVersion }
    this.#running().story.rolledBack(version, document.version, this.#document.version)
    this.#enforce(document, { version, outcome: 'halted', why })
  }

  #beginNext(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    try {
      this.#requireNewer(waiting.document)
      this.#begin(waiting.document, waiting.rollout)
    } catch (error) {
      // What is not the document's fault waits for a journal that takes it.
      if (!(error instanceof StarlingError)) {
        this.#waiting = waiting
        throw error
      }
      this.#told.refused(messageOf(error))
    }
  }

  /** On its way, from its first stage on; at once where no node can tell the difference, or nobody wants to wait. */
  #begin(document: SettingsDocument, over: RolloutSettings = {}): void {
    this.#waiting = undefined
    const { said, last } = this.#progress
    const plan = readRollout({ ...document.rollout, ...over })
    const { version } = document
    if (!changesNodes(this.#document, document) || (plan.shares.length === 1 && plan.soakMs === 0)) {
      this.#enforce(document, { version, outcome: 'done', why: 'at once' })
      return
    }
    const nodes = this.#running().nodesSeen()
    const next = firstStage(this.#ledger.keep(document), plan, nodes, randomBytes(8).toString('hex'))
    const outcome = replacedBy(version, said.next) ?? last
    this.#stage({ said: { current: said.current, next }, before: before(nodes), last: outcome })
    this.#tellStage()
  }

  /** Everywhere, at once. */
  #enforce(document: SettingsDocument, last: SettingsView['last']): void {
    this.#waiting = undefined
    this.#become({ said: { current: this.#ledger.keep(document), next: null }, last })
  }

  /** The nodes are watched from now on, for as long as it says. */
  #stage(change: Partial<Progress>): void {
    this.#become({ ...change, since: Date.now() })
    this.#watch.begins(performance.now())
  }

  /** What an aggregator signed that is none any more is said again, under this one's name and the next version. */
  #vouch(mesh: SettingsMesh): void {
    const { current, next } = this.#progress.said
    const old = this.#ledger.unvouched(this.#progress.said)
    if (old === undefined || !mesh.leads() || !this.#watch.isSettled(performance.now())) return
    const anew = this.#ledger.keep({ ...this.#ledger.documentOf(old), version: this.#nextVersion })
    mesh.story.signedAnew(anew.version, old.version)
    if (next === null) this.#become({ said: { current: anew, next } })
    else this.#stage({ said: { current, next: { ...next, ...anew, step: next.step + 1 } } })
  }

  /** On record, and then the mesh is told, if this aggregator leads. */
  #become(change: Partial<Progress>): void {
    const progress = { ...this.#progress, ...change }
    this.#ledger.record(progress)
    this.#progress = progress
    this.#document = this.#ledger.documentOf(this.#progress.said.current)
    this.#say()
  }

  #say(): void {
    this.#exchange()
    if (this.#mesh?.leads() !== true) return
    const { said } = this.#progress
    this.#mesh.publish(SETTINGS_TOPIC, encodeAnnouncement(said), SAID_TTL_MS)
    this.#told.inForce(said.current.version)
  }

  #exchange(): void {
    this.#mesh?.exchange(this.#ledger.bytesOf(this.#progress.said), this.#heard.seeks)
  }

  /** What another leader said is gone by as soon as all that it names is here. */
  #adopt(): void {
    this.#exchange()
    const said = this.#heard.whole()
    if (said === undefined) return
    // How the nodes were before it began, only who began it knows: another, or this one before that one led.
    const isOwn = said.next !== null && said.next.seed === this.#progress.said.next?.seed
    this.#stage({ said, before: isOwn ? this.#progress.before : null })
    if (this.#waiting !== undefined && this.#waiting.document.version < this.#nextVersion) this.#waiting = undefined
  }

  #tellStage(): void {
    const { rollout } = this.view()
    const { next } = this.#progress.said
    if (rollout !== null && next !== null) this.#told.stage(rollout, next.step)
  }

  /** The file changed, or what it may name. */
  readAgain(): void {
    try {
      this.#consider(readSettingsFile(this.#init))
    } catch (error) {
      this.#told.refused(messageOf(error))
    }
  }

  /** The operator's file has it: what was handed in before is no news. */
  #consider(document: SettingsDocument): void {
    if (this.#ledger.isKnown(document)) return
    this.#requireNewer(document)
    const isNext = this.#waiting === undefined
    this.#waiting = { document, rollout: {} }
    if (isNext && this.#mesh?.leads() === true) this.#beginWaiting()
  }

  /** Also above what nodes run that this aggregator has no record of: they would refuse a lower one. */
  get #nextVersion(): number {
    const applied = [...(this.#mesh?.applied().values() ?? [])].map(({ version }) => version)
    return Math.max(this.#ledger.nextVersion, runByMost(applied) + 1)
  }

  /** Throws a UsageError below that. */
  #requireNewer({ version }: SettingsDocument): void {
    if (version >= this.#nextVersion) return
    throw new UsageError(`settings version ${version} is too low`, `raise version to at least ${this.#nextVersion}`)
  }

  #running(): SettingsMesh {
    if (this.#mesh === undefined) throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    return this.#mesh
  }
}
