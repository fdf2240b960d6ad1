/** What is open and who was told, by the events of whoever led before: nobody is left with an alarm that is long over. */
import type { Event } from '../event-model.ts'
import { symptomsOf } from './causes.ts'
import type { Held, Holding } from './holding.ts'
import type { OpenIncidents } from './incidents.ts'
import type { Incident } from './model.ts'

/** What another aggregator said shortly before it went may not have left it, ms: so it is said again. */
const SAID_AGAIN_MS = 300_000

export interface Restored {
  readonly open: OpenIncidents
  /** Until it is known better, what was wrong is. */
  readonly holding: Holding
  /** Over, and those who were told of it might not know. */
  readonly over: readonly Incident[]
  /** Told of by one that did not know of another's, which goes on: over, and nobody has said so. */
  readonly doubles: readonly Incident[]
}

/** Of an event what is read here; `at` in wall time, ms. */
export type RecordedAlert = Pick<Event, 'kind' | 'data'> & { readonly at: number }

/**
 * `events`: the `alert` and `alert-over` ones, oldest first. `self`: this aggregator, whose own queue is kept. `before`: what
 * is open already.
 */
export function restore(
  events: readonly RecordedAlert[],
  now: number,
  self: string,
  before: OpenIncidents = new Map(),
): Restored {
  const open = new Map(before)
  const over: Incident[] = []
  const doubles = new Map<string, Incident>()
  for (const { kind, at, data } of events) {
    const incident = incidentOf(data.incident)
    if (incident === undefined) continue
    const { key, id } = incident
    const known = open.get(key)
    const mayBeUnsaid = data.by !== self && now - at < SAID_AGAIN_MS
    if (kind === 'alert') {
      if (known?.announced === true && known.id !== id) doubles.set(id, incident)
      else open.set(key, mayBeUnsaid ? untold(incident, at) : incident)
    }
    if (kind !== 'alert-over') continue
    if (known?.id === id) open.delete(key)
    doubles.delete(id)
    if (mayBeUnsaid) over.push(incident)
  }
  const restored = [...open].filter(([key, incident]) => before.get(key) !== incident)
  const symptoms = restored.flatMap(([, incident]) => symptomsOf(incident))
  const held = symptoms.map((symptom): [string, Held] => {
    return [symptom.key, { symptom, badSince: now, isFiring: true, fineSince: undefined }]
  })
  return { open, holding: new Map(held), over, doubles: [...doubles.values()] }
}

/** They are told again at the next look, and when it is over they are in any case. */
function untold(incident: Incident, at: number): Incident {
  const told = Object.entries(incident.told).map(([sink, one]) => [
    sink,
    one.at < at - SAID_AGAIN_MS ? one : { ...one, at: 0 },
  ])
  return { ...incident, told: Object.fromEntries(told) }
}

/** As story.ts writes it. */
function incidentOf(value: unknown): Incident | undefined {
  const incident = value as Partial<Incident> | undefined
  const isOne = typeof incident?.id === 'string' && typeof incident.key === 'string' && Array.isArray(incident.children)
  return isOne && typeof incident.told === 'object' ? (incident as Incident) : undefined
}
