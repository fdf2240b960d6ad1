/** Who comes and goes as the roster follows the cluster, as events; and what waits for a person. */
import type { Chronicle } from './chronicle.ts'
import type { Change, Held } from './kubernetes/roster/rules.ts'
import type { Event, EventKind } from './model.ts'

const THREAD = 'roster-held'

/** Names spelled out in a summary; all of them are in the event's data. */
const NAMES_SHOWN = 10

const KINDS: Readonly<Record<Change['kind'], EventKind | undefined>> = {
  added: 'member-added',
  removed: 'member-removed',
  replaced: 'member-changed',
  renewed: 'member-changed',
  // Addresses and labels change often, and for many at once: the log has them.
  updated: undefined,
}

export class RosterStory {
  readonly #chronicle: Chronicle
  /** What waits by the last event about it; empty for nothing. */
  #told = ''
  /** The decision that let changes through, which is why they are in force. */
  #released = ''

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
    const last = chronicle.store.query({ kinds: ['roster-held', 'roster-free'], limit: 1 })[0]
    if (last?.kind !== 'roster-held') return
    this.#told = String(last.data.key)
    chronicle.goOnFrom(THREAD, last.id)
  }

  /** Told when it changes. */
  waits(held: readonly Held[]): void {
    const key = held.map(({ kind, changes }) => `${kind}: ${namesOf(changes).join(' ')}`).join('; ')
    if (key === this.#told) return
    this.#told = key
    if (key === '') {
      this.#follow('roster-free', 'good', 'no change of the roster waits any more', {})
      this.#chronicle.goOnFrom(THREAD, '')
      return
    }
    const summary = held.map(({ why, changes }) => `${why}: ${listed(namesOf(changes))}`).join('; ')
    const data = { key, held: held.map(({ kind, why, changes }) => ({ kind, why, nodes: namesOf(changes) })) }
    this.#follow('roster-held', 'act', `the roster waits for a person: ${summary}`, data)
  }

  changed(epoch: number, changes: readonly Change[]): void {
    for (const { kind, node, why, member } of changes) {
      const event = KINDS[kind]
      if (event === undefined) continue
      const id = `${event}/${node}/${epoch}`
      const summary = `${kind} with epoch ${epoch}: ${why}`
      const data = { epoch, ...(member === undefined ? {} : { serial: member.serial, uid: member.uid }) }
      this.#chronicle.record(id, event, node, kind === 'removed' ? 'bad' : 'info', summary, this.#released, data)
    }
    this.#released = ''
  }

  /** Durable when it returns: a person is about to let these through. */
  released(id: string, decision: { by: string; via: string; reason: string; nodes: readonly string[] }): Event {
    const { by, via, reason, nodes } = decision
    const summary = `let through by ${by} (${via}): ${listed(nodes)}: ${reason}`
    const event = this.#chronicle.record(id, 'decision', '', 'act', summary, this.#chronicle.last(THREAD), decision)
    this.#chronicle.requireStored(id, 'decision')
    this.#chronicle.goOnFrom(THREAD, id)
    this.#released = id
    return event
  }

  #follow(kind: EventKind, tone: Event['tone'], summary: string, data: object): void {
    this.#chronicle.follow(THREAD, this.#chronicle.nextId(kind, ''), kind, '', tone, summary, data)
  }
}

function namesOf(changes: readonly Change[]): readonly string[] {
  return changes.map(({ node }) => node)
}

function listed(nodes: readonly string[]): string {
  const more = nodes.length - NAMES_SHOWN
  return more > 0 ? `${nodes.slice(0, NAMES_SHOWN).join(', ')} and ${more} more` : nodes.join(', ')
}
