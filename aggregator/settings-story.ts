/** What becomes of settings, as events: each version has its chain, from where it was handed in to where it ended. */
import { randomUUID } from 'node:crypto'
import type { Chronicle } from './chronicle.ts'
import type { Event } from './model.ts'
import type { Evidence } from './rollout-rules.ts'
import type { DecidedData } from './settings-decided.ts'
import type { RolloutView } from './settings-model.ts'

/** Nodes of a stage that are told of by name. */
const NAMED_MAX = 5

export class SettingsStory {
  readonly #chronicle: Chronicle

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  /** A person decided it. Durable when it returns. */
  decided(version: number, says: string, data: DecidedData): Event {
    const id = `settings/${version}/decided`
    const event = this.#follow(version, id, 'act', says, data)
    this.#chronicle.requireStored(id, 'settings')
    return event
  }

  /** Said again, it is no news. */
  inForce(version: number): void {
    const id = `settings/${version}`
    if (this.#chronicle.store.byId(id) === null) {
      this.#follow(version, id, 'info', `settings version ${version} in force`)
    }
  }

  /** It is for more nodes from now on. */
  stage({ version, nodes, of }: RolloutView, step: number): void {
    const names = nodes.length > NAMED_MAX || nodes.length === of ? '' : ` (${nodes.join(', ')})`
    const says = `settings version ${version} for ${nodes.length} of ${of} nodes${names}`
    this.#follow(version, `settings/${version}/step/${step}`, 'info', says)
  }

  halted(version: number, why: string, evidence: readonly Evidence[]): void {
    const says = `settings version ${version} halted: ${why}`
    this.#follow(version, `settings/${version}/halted`, 'bad', says, { evidence })
  }

  /** The content of an earlier version goes on under a later number, because of what became of `failed`. */
  rolledBack(failed: number, version: number, content: number): void {
    this.#chronicle.goOnFrom(threadOf(version), this.#chronicle.last(threadOf(failed)))
    const says = `rolled back: settings version ${version} has the content of version ${content}`
    this.#follow(version, `settings/${version}/rolled-back`, 'act', says)
  }

  /** Nobody decided anything: nodes that are enrolled from now on would refuse what is of an aggregator that has left. */
  signedAnew(version: number, content: number): void {
    this.#chronicle.goOnFrom(threadOf(version), this.#chronicle.last(threadOf(content)))
    const says = `settings version ${version} has the content of version ${content}, which an aggregator signed that has left`
    this.#follow(version, `settings/${version}/signed-anew`, 'info', says)
  }

  refused(why: string): void {
    const says = `settings refused, version kept: ${why}`
    this.#chronicle.record(`settings/refused/${randomUUID()}`, 'settings', '', 'bad', says, '')
  }

  #follow(version: number, id: string, tone: Event['tone'], says: string, data: object = {}): Event {
    const thread = threadOf(version)
    const event = this.#chronicle.record(id, 'settings', '', tone, says, this.#chronicle.last(thread), data)
    this.#chronicle.goOnFrom(thread, id)
    return event
  }
}

const threadOf = (version: number) => `settings/${version}`
