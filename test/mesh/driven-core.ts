/** The whole core of one node among twenty, to be spoken to directly. */
import { Core } from '../../mesh/core/core.ts'
import type { Heard } from '../../mesh/core/gossip.ts'
import type { Effect, Input, Message } from '../../mesh/core/message.ts'
import type { StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { FIRST_LIFE, LEADER, momentAt, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

export const roster = sampleRoster({ nodes: 20 })
export const ring = ringOf(roster)
export const ME = nodeName(0)
export const [SUBJECT = ''] = ring.subjectsOf(ME)
export const [PEER = '', OTHER = ''] = ring.neighboursOf(ME).filter((node) => node !== SUBJECT)

export function coreOf(node: string, term = 1): Core {
  let calls = 0
  const nonce = () => (0xa0 + calls++).toString(16)
  const aggregator = { rosterHash: 'ab'.repeat(32), saidBefore: [], heartbeats: false, nonce }
  const core = new Core(momentAt(0), {
    node,
    incarnation: FIRST_LIFE,
    roster,
    rosterBytes: new Uint8Array(0),
    keyring: standInKeyring(node),
    timing: DEFAULT_TIMING,
    random: seededRandom(1),
    ...(node === LEADER ? { aggregator } : {}),
  })
  core.step(momentAt(0), { kind: 'lead', term, standing: [] })
  return core
}

export function opened(core: Core, ...peers: readonly string[]): Core {
  for (const peer of peers) core.step(momentAt(0), { kind: 'opened', peer, by: 'them', incarnation: FIRST_LIFE })
  return core
}

export function says(signer: string, body: StatementBody, seq = 1): Heard {
  const statement = { signer, serial: 1, boot: 1, seq, ttlMs: 12_000, body }
  return { signed: { statement, signature: standInKeyring(signer).sign('statement', statement) }, ageMs: 0 }
}

export function accusation(voter: string, subject: string, term = 1): Heard {
  const about = { subject, incarnation: FIRST_LIFE, epoch: roster.epoch, term } as const
  return says(voter, { kind: 'accusation', ...about, opinion: 'NodeDown', channel: 'nothing', silentMs: 1_000 })
}

export function gossip(...items: readonly Heard[]): Message {
  return { kind: 'gossip', items }
}

export function tell(core: Core, ms: number, message: Message, from = PEER): readonly Effect[] {
  const input: Input = { kind: 'message', from, message }
  return core.step(momentAt(ms), input)
}

/** Of the leader, as members hear it. */
export function rollCall({ term = 1, nonce = 'b2', subjects = [] as readonly string[] } = {}): Message {
  const asked = subjects.map((node) => ({ node, incarnation: FIRST_LIFE }))
  const call = { leader: LEADER, epoch: roster.epoch, term, nonce, subjects: asked }
  return { kind: 'roll-call', call: { rollCall: call, signature: standInKeyring(LEADER).sign('roll-call', call) } }
}

export function sent<K extends Message['kind']>(effects: readonly Effect[], kind: K) {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === kind
      ? [{ to: effect.to, message: effect.message as Extract<Message, { kind: K }> }]
      : [],
  )
}

export function rollCalls(effects: readonly Effect[]): number {
  return effects.filter((effect) => effect.kind === 'notice' && effect.notice.kind === 'rollCall').length
}
