/** Silences: what is kept and shown, and nobody told of, until a time; by whom and why. */
import { z } from 'zod'
import { selectorPart } from '../../common/selector.ts'
import { SEVERITIES } from '../../detectors/contract.ts'
import type { Event } from '../event-model.ts'

const words = z.array(z.string().min(1).max(253)).min(1).max(100)

/** Of each kind that is given one must fit. */
export const silenceMatch = z
  .strictObject({
    reasons: words.exactOptional(),
    rules: words.exactOptional(),
    severities: z.array(z.enum(SEVERITIES)).min(1).exactOptional(),
    selector: selectorPart.exactOptional(),
  })
  .refine(
    (given) => Object.keys(given).length > 0,
    'would silence everything: give reasons, rules, severities or a selector',
  )

export const silenceSchema = z.object({
  id: z.string(),
  match: silenceMatch,
  author: z.string(),
  reason: z.string(),
  /** Wall time, ms. */
  from: z.number(),
  until: z.number(),
})
export type Silence = z.infer<typeof silenceSchema>

export function silenceEventId(id: string): string {
  return `silence/${id}`
}

/** Those that events tell of and that nobody ended, whether their time is over or not; in whatever order the events come. */
export function silencesOf(events: readonly Pick<Event, 'kind' | 'data'>[]): readonly Silence[] {
  const kept = new Map<string, Silence>()
  const ended = new Set<string>()
  for (const { kind, data } of events) {
    if (kind !== 'silence') continue
    const { success, data: silence } = silenceSchema.safeParse(data.silence)
    if (!success) continue
    kept.set(silence.id, silence)
    if (data.ended === true) ended.add(silence.id)
  }
  return [...kept.values()].filter(({ id }) => !ended.has(id))
}

export function activeAt(silences: readonly Silence[], now: number): readonly Silence[] {
  return silences.filter(({ from, until }) => from <= now && now < until)
}
