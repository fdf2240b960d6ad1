/**
 * Do packets between this node and its peers get lost? Every beat of the mesh that had to be sent again, or was never
 * answered, counts. Many lossy peers mean this node: a cable, a driver, a queue that overflows. A single one is only told.
 */
import { z } from 'zod'
import { defineDetector, type PeerLink } from './contract.ts'
import { percent, ratio } from './reading/levels.ts'
import { isOwnSide, measuredLinks } from './reading/links.ts'

export const peerLoss = defineDetector({
  name: 'peer-loss',
  summary: 'How many packets between this node and its peers are lost.',
  every: '1m',
  timeout: '5s',
  needs: [],
  touches: { peers: true },
  options: z.strictObject({
    // Of satellite's check of the overlay network, over the same five minutes. TCP is unusable long before.
    limitRatio: ratio.default(0.2).describe('Share of the beats to a peer lost or sent again above which it is lossy.'),
  }),
  reasons: {
    PeersLossy: {
      severity: 'warn',
      summary: 'Packets to or from many peers of this node are lost: its own link or its network stack drops them.',
      // A look is at the last minute, so this is every minute of five.
      sustain: '5m',
      runbook: 'peer-loss',
    },
    PeerLossy: {
      severity: 'info',
      summary: 'Packets to or from one peer are lost, while those of the others are not.',
      sustain: '5m',
      runbook: 'peer-loss',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return measuredLinks(host)
  },

  judge(links, { limitRatio }) {
    const lossy = links.filter((link) => lostShare(link) > limitRatio)
    if (isOwnSide(lossy, links)) {
      const worst = Math.max(...lossy.map(lostShare))
      return [
        {
          reason: 'PeersLossy' as const,
          summary: `beats to ${lossy.length} of ${links.length} peers get lost, to the worst ${percent(worst)} of them`,
          evidence: [
            { name: 'lossy peers', value: lossy.length, unit: 'peers' },
            { name: 'worst share lost', value: worst, limit: limitRatio, unit: '' },
          ],
        },
      ]
    }
    return lossy.map((link) => ({
      reason: 'PeerLossy' as const,
      cause: link.node,
      summary: `${link.lost} of the last ${link.beats} beats to ${link.node} got lost, of ${links.length} peers that are measured`,
      evidence: [{ name: 'share lost', value: lostShare(link), limit: limitRatio, unit: '' }],
    }))
  },
})

const lostShare = ({ lost, beats }: PeerLink) => lost / beats
