import type { Event } from '../../aggregator/model.ts'

/** An event with the given id, in which only what a test cares about needs to be said. */
export function event(id: string, over: Partial<Event> = {}): Event {
  return {
    id,
    at: '2026-01-02T03:04:05.678Z',
    kind: 'suspected',
    node: 'node-1',
    tone: 'info',
    summary: `event ${id}`,
    causedBy: '',
    data: {},
    ...over,
  }
}
