/** Which parts of an outbox go when it has had its day or its room: the oldest first, and always a whole file. */

/** What is known of one file of the outbox. */
export interface Segment {
  /** Of its first record; also its name. */
  readonly first: number
  readonly last: number
  /** RFC 3339, of its last record. */
  readonly lastAt: string
  readonly bytes: number
}

export interface Room {
  readonly bytes: number
  /** RFC 3339: what is older has been kept long enough. */
  readonly keptSince: string
}

/** Of `segments`, oldest first, those that go, and how many of their records were still to be kept. The newest stays. */
export function outOf(segments: readonly Segment[], room: Room): { readonly gone: readonly Segment[]; lost: number } {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  let lost = 0
  const gone: Segment[] = []
  for (const segment of segments.slice(0, -1)) {
    const isOld = segment.lastAt < room.keptSince
    if (!isOld && bytes <= room.bytes) break
    if (!isOld) lost += segment.last - segment.first + 1
    bytes -= segment.bytes
    gone.push(segment)
  }
  return { gone, lost }
}
