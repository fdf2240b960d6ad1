/**
 * Versions of detectors that are held, because what they find jumped: their findings are shown as unknown, which marks
 * nothing and lets nothing be mended, until somebody releases them or they are everywhere and find no more than chance.
 */
import { z } from 'zod'
import { StarlingError } from '../common/errors.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Chronicle } from './chronicle.ts'
import type { Event } from './model.ts'
import type { Release } from './remediation-model.ts'
import type { VersionHold } from './settings-model.ts'
import { type Heard, heardNow, isConfirmed, whyTripped } from './version-trips.ts'

const FACT = 'detectors/holds'

/** Those of before that no node runs are forgotten beyond this: a node can name a version of its own in each report. */
const KEPT_MAX = 64

const kept = z.array(
  z.strictObject({ detector: z.string(), version: z.string(), why: z.string(), isReleased: z.boolean() }),
)
type Hold = z.infer<typeof kept>[number]

/** What an event of these tells, in its data: whoever leads next goes by it, too. */
const toldOf = z.object({
  hold: z.object({
    detector: z.string(),
    version: z.string(),
    is: z.enum(['held', 'confirmed', 'released']),
    why: z.string(),
  }),
})
type Told = z.infer<typeof toldOf>['hold']

export class VersionHolds {
  readonly #chronicle: Chronicle
  /** Also those that were released: they do not trip again. */
  #holds: readonly Hold[]
  /** By detector and node. */
  readonly #heard = new Map<string, Map<string, Heard>>()

  /** Throws an Error when the store holds something else there. */
  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
    this.#holds = kept.parse(JSON.parse(chronicle.store.readFact(FACT) ?? '[]'))
  }

  get held(): readonly VersionHold[] {
    return this.#holds.filter(({ isReleased }) => !isReleased)
  }

  /** A detector of a node reported. */
  hear(node: string, detector: string, findings: readonly Finding[]): void {
    const nodes = this.#heard.get(detector) ?? new Map<string, Heard>()
    const now = heardNow(findings, nodes.get(node))
    if (now === undefined) return
    this.#heard.set(detector, nodes.set(node, now))
    const { version } = now
    const all = [...nodes.values()]
    const hold = this.#holds.find((one) => one.detector === detector && one.version === version)
    const why = whyTripped(version, all)
    if (hold === undefined && why !== undefined) {
      this.#keep([...this.#holds, { detector, version, why, isReleased: false }])
      this.#tell('held', { detector, version, why }, 'bad', `findings of ${detector} are held: ${why}`)
    } else if (hold?.isReleased === false && isConfirmed(version, all)) {
      this.#release(hold)
      const says = `findings of ${detector} ${version} count again: it is everywhere, and finds no more than chance`
      this.#tell('confirmed', hold, 'good', says)
    }
  }

  /** Another aggregator put it on record: it holds here as it does there. */
  copied({ kind, data }: Pick<Event, 'kind' | 'data'>): void {
    const told = kind === 'finding' ? toldOf.safeParse(data).data : undefined
    if (told === undefined) return
    const { detector, version, is, why } = told.hold
    const hold = this.#holds.find((one) => one.detector === detector && one.version === version)
    if (hold === undefined) this.#keep([...this.#holds, { detector, version, why, isReleased: is !== 'held' }])
    else if (is !== 'held') this.#release(hold)
  }

  /** Nodes that are members no more say nothing about a version. */
  retain(isMember: (node: string) => boolean): void {
    for (const [detector, nodes] of this.#heard) {
      for (const node of nodes.keys()) if (!isMember(node)) nodes.delete(node)
      if (nodes.size === 0) this.#heard.delete(detector)
    }
  }

  /** Why what this version of the detector finds does not count; undefined when it does. */
  whyHeld({ detector, version }: Pick<Finding, 'detector' | 'version'>): string | undefined {
    return this.held.find((hold) => hold.detector === detector && hold.version === version)?.why
  }

  /** As `whyHeld`, of what one detector finds among these findings of a node. */
  whyHeldAmong(findings: readonly Finding[], detector: string): string | undefined {
    const finding = findings.find((one) => one.detector === detector)
    return finding && this.whyHeld(finding)
  }

  /** The finding as it counts. */
  seen(finding: Finding): Finding {
    const why = finding.status === 'ok' || finding.status === 'not-applicable' ? undefined : this.whyHeld(finding)
    return why === undefined
      ? finding
      : { ...finding, status: 'unknown', summary: `held, since ${why}: ${finding.summary}` }
  }

  /** Throws StarlingError when nothing of it is held. */
  release(detector: string, { reason, via }: Release, by: string): Event {
    const hold = this.#holds.find((one) => one.detector === detector && !one.isReleased)
    if (hold === undefined) {
      const names = this.held.map((one) => one.detector).join(', ')
      throw new StarlingError(`no finding of ${detector} is held`, { remedy: `held are: ${names || 'none'}` })
    }
    const says = `findings of ${detector} ${hold.version} released by ${by} (${via}): ${reason}`
    const event = this.#tell('released', hold, 'act', says)
    this.#release(hold)
    return event
  }

  #release(hold: Hold): void {
    this.#keep(this.#holds.map((one) => (one === hold ? { ...hold, isReleased: true } : one)))
  }

  #keep(holds: readonly Hold[]): void {
    this.#holds = holds.filter((hold, index) => index >= holds.length - KEPT_MAX || this.#isRun(hold))
    this.#chronicle.store.writeFact(FACT, JSON.stringify(this.#holds))
  }

  #isRun({ detector, version }: Hold): boolean {
    return [...(this.#heard.get(detector)?.values() ?? [])].some((heard) => heard.version === version)
  }

  #tell(is: Told['is'], { detector, version, why }: Omit<Told, 'is'>, tone: Event['tone'], says: string): Event {
    const thread = `detector/${detector}/${version}`
    const id = `${thread}/${is}`
    const hold: Told = { detector, version, is, why }
    const event = this.#chronicle.record(id, 'finding', '', tone, says, this.#chronicle.last(thread), { hold })
    this.#chronicle.goOnFrom(thread, id)
    return event
  }
}
