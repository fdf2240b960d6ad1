/** What the mesh measures on the way to peers, and whose fault it is when some of it is bad. */
import { counted } from '../../common/counted.ts'
import { type Host, NotApplicable, type PeerLink } from '../contract.ts'

/** Half a minute of beats: fewer say little of how many are lost, or of the slowest of twenty. */
const BEATS_MIN = 30
/** Below that a node cannot tell its own side from that of a peer. */
const PEERS_MIN = 3

/** Throws NotApplicable while too few are known well enough, an Error for what cannot have been measured. */
export function measuredLinks(host: Host): readonly PeerLink[] {
  const all = host.peerLinks()
  for (const { node, beats, lost, medianMs, p95Ms } of all) {
    if (![beats, lost, medianMs, p95Ms].every((figure) => Number.isFinite(figure) && figure >= 0) || lost > beats) {
      throw new Error(`the mesh measured ${lost} of ${beats} beats to ${node} lost, the others within ${p95Ms} ms`)
    }
  }
  const links = all.filter(({ beats }) => beats >= BEATS_MIN)
  if (links.length >= PEERS_MIN) return links
  throw new NotApplicable(
    `${counted(links.length, 'peer has', 'peers have')} been measured for long enough, and it takes ${PEERS_MIN}`,
  )
}

/**
 * One end is common to all links that are measured here: when half of them are bad, and two at least, it is this one.
 * Else it is the other end, or the way to it.
 */
export function isOwnSide(bad: readonly PeerLink[], all: readonly PeerLink[]): boolean {
  return bad.length >= 2 && bad.length * 2 >= all.length
}
