/** A real leader of five members in two zones, to be told what they say. */
import { Leader } from '../../mesh/core/leader.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Accusation, Roster, Standing } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'

export const NODES = ['a', 'b', 'c', 'd', 'e']
export const LIFE = { serial: 1, boot: 1, refutations: 0 }
const TERM = 7

export const roster: Roster = {
  mesh: 'test',
  epoch: 1,
  previous: '',
  seed: 'seed',
  members: NODES.map((node, index) => ({
    node,
    serial: 1,
    zone: `z${index % 2}`,
    roles: [],
    peerId: `peer-${node}`,
    hosts: ['127.0.0.1'],
    meshPort: 7_790,
    kubeletPort: 10_250,
  })),
  aggregators: [],
}

export function newLeader(standing: readonly Standing[] = []): Leader {
  const keyring = { sign: () => new Uint8Array(), verify: () => true }
  const rest = {
    heartbeats: false,
    rosterHash: '',
    nonce: () => 'nonce',
    keyring,
    timing: DEFAULT_TIMING,
  }
  return new Leader(0, { ...rest, node: 'leader', term: TERM, membership: new Membership(roster), standing })
}

export function accusation(
  subject: string,
  opinion: Accusation['opinion'],
  channel: Accusation['channel'],
): Accusation {
  return { kind: 'accusation', subject, incarnation: LIFE, epoch: 1, term: TERM, opinion, channel, silentMs: 2_000 }
}
