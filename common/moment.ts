/** A point in time as pure code gets it handed: it measures with `ms` and writes down `wall`. */
export interface Moment {
  /** Milliseconds of a clock that only goes forward. Its zero is arbitrary and changes with every start of the process. */
  readonly ms: number
  /** RFC 3339, UTC. May jump when the host's clock is set, so it is for people, never for measuring. */
  readonly wall: string
}

export function currentMoment(): Moment {
  return { ms: performance.now(), wall: new Date().toISOString() }
}
