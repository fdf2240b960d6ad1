/** The few figures of a host that are kept for long: what people ask for when they look back, and what alerts are said over. */

export const MEASURES = {
  cpu: '% of all cores',
  memory: '% of what there is',
  swap: '% of what there is',
  load: 'runnable tasks per core, over a minute',
  'pressure-cpu': '% of time in which some task waited (PSI, avg60)',
  'pressure-memory': '% of time in which some task waited (PSI, avg60)',
  'pressure-io': '% of time in which some task waited (PSI, avg60)',
  disk: '% of the fullest file system',
  inodes: '% of the fullest file system',
  'network-in': 'bytes per second, all physical interfaces',
  'network-out': 'bytes per second, all physical interfaces',
  conntrack: '% of the table',
} as const

export type MeasureName = keyof typeof MEASURES

/** What cannot be read on a host is absent: it is not nought. */
export type Measures = Readonly<Partial<Record<MeasureName, number>>>

/** Averages of a node over an hour; `hour` is its beginning, RFC 3339, on the full hour in UTC. */
export interface HourOfMeasures {
  readonly node: string
  readonly hour: string
  readonly averages: Measures
}
