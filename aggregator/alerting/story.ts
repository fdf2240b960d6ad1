/** Incidents, silences and what could not be delivered, as events. Who was told stands in them, for whoever leads next. */
import { randomUUID } from 'node:crypto'
import { counted } from '../../common/counted.ts'
import type { Chronicle } from '../chronicle.ts'
import type { Event } from '../event-model.ts'
import type { DeadLetter } from '../sinks/dispatch.ts'
import type { Incident } from './model.ts'
import { type Silence, silenceEventId } from './silence-model.ts'
import { titleOf } from './texts.ts'

/** Of what belongs to an incident: enough to tell what it was of. */
const CHILDREN_KEPT = 50

export class AlertStory {
  readonly #chronicle: Chronicle

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  /** It is an incident, or somebody was told of it once more. Durable before anybody is told. `by`: this aggregator. */
  announced(incident: Incident, at: number, by: string): void {
    const first = alertEventId(incident)
    const isFirst = this.#chronicle.store.byId(first) === null
    const id = isFirst ? first : `${first}@${at}`
    const sinks = Object.keys(incident.told)
    const who =
      incident.silencedBy.length > 0
        ? 'silenced'
        : sinks.length === 0
          ? 'nobody is to be told'
          : `told: ${sinks.join(', ')}`
    const cause = isFirst ? (incident.root?.eventId ?? incident.children[0]?.eventId ?? '') : first
    const summary = `${incident.severity}: ${titleOf(incident, 'en')}; ${who}`
    const data = { incident: shortened(incident), by }
    this.#chronicle.record(id, 'alert', incident.node, 'bad', summary, cause, data)
  }

  over(incident: Incident, by: string): void {
    const begun = alertEventId(incident)
    const summary = `over: ${titleOf(incident, 'en')}`
    const data = { incident: shortened(incident), by }
    this.#chronicle.record(`alert-over/${incident.id}`, 'alert-over', incident.node, 'good', summary, begun, data)
  }

  /** Durable when it returns. */
  silenced(silence: Silence): Event {
    const until = new Date(silence.until).toISOString()
    const summary = `silenced until ${until} by ${silence.author}: ${silence.reason}`
    const id = silenceEventId(silence.id)
    const event = this.#chronicle.record(id, 'silence', '', 'act', summary, '', { silence })
    this.#chronicle.requireStored(id, 'silence')
    return event
  }

  unsilenced(silence: Silence, by: string, reason: string): Event {
    const began = silenceEventId(silence.id)
    const summary = `silence ended by ${by}: ${reason}`
    const id = `${began}/ended`
    const event = this.#chronicle.record(id, 'silence', '', 'act', summary, began, { silence, ended: true, by })
    this.#chronicle.requireStored(id, 'silence')
    return event
  }

  lost({ id, sink, why, notification: { incident, state } }: DeadLetter): void {
    const summary = `${sink} was not told that this is ${state}: ${titleOf(incident, 'en')}: ${why}`
    const data = { sink, incident: incident.id, state }
    this.#chronicle.record(
      `undelivered/${id}`,
      'undelivered',
      incident.node,
      'act',
      summary,
      alertEventId(incident),
      data,
    )
  }

  sentAgain(letters: readonly DeadLetter[], by: string): Event {
    const sinks = [...new Set(letters.map(({ sink }) => sink))].join(', ')
    const summary = `${counted(letters.length, 'notification')} sent again by ${by}: ${sinks}`
    return this.#chronicle.record(`decision/${randomUUID()}`, 'decision', '', 'act', summary, '', { by })
  }
}

export function alertEventId({ id }: Pick<Incident, 'id'>): string {
  return `alert/${id}`
}

function shortened(incident: Incident): Incident {
  const told = Object.entries(incident.told).map(([sink, one]) => [
    sink,
    { ...one, children: one.children.slice(0, CHILDREN_KEPT) },
  ])
  return { ...incident, children: incident.children.slice(0, CHILDREN_KEPT), told: Object.fromEntries(told) }
}
