/** A bitmap over the roster: bit n is its nth member. Merging by OR makes it safe to count along several ways back. */

export function emptyPresence(members: number): Uint8Array {
  return new Uint8Array(Math.ceil(members / 8))
}

export function withMember(present: Uint8Array, index: number): Uint8Array {
  const next = present.slice()
  next[index >> 3] = (next[index >> 3] ?? 0) | (1 << (index & 7))
  return next
}

export function hasMember(present: Uint8Array, index: number): boolean {
  return ((present[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}

/** The union; bytes of `other` beyond `present` are ignored, so a peer cannot make it grow. */
export function mergePresence(present: Uint8Array, other: Uint8Array): Uint8Array {
  return present.map((byte, index) => byte | (other[index] ?? 0))
}

export function samePresence(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
