/**
 * The records of /dev/kmsg (kernel documentation, Documentation/ABI/testing/dev-kmsg): `prio,seq,time,flags;text`, the time
 * in microseconds of the monotonic clock, followed by lines that begin with a blank and hold properties.
 */

export interface KmsgRecord {
  readonly sequence: number
  /** Of the monotonic clock. */
  readonly atMs: number
  readonly text: string
}

const HEADER = /^\d+,(\d+),(\d+),[^;]*;/

/** Undefined for a line of properties, and for anything else that is no record. */
export function parseRecord(line: string): KmsgRecord | undefined {
  const header = HEADER.exec(line)
  if (header === null) return undefined
  return { sequence: Number(header[1]), atMs: Number(header[2]) / 1_000, text: line.slice(header[0].length) }
}

/** The sequence numbers of the first and the last record in `chunk`, whole lines; undefined when there is none. */
export function sequencesOf(chunk: string): { readonly first: number; readonly last: number } | undefined {
  const first = parseRecord(chunk)?.sequence
  let end = chunk.length
  while (end > 0) {
    const start = chunk.lastIndexOf('\n', end - 2) + 1
    const last = parseRecord(chunk.slice(start, end))?.sequence
    if (last !== undefined) return { first: first ?? last, last }
    end = start
  }
  return undefined
}
