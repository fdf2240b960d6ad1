/**
 * Valid frames of every kind: the traffic of an honest mesh in the simulator, through a death, a lossy link, a leave and a
 * change of roster. Told again with the names and keys of a real mesh, and under its leader's earlier term and its nodes'
 * earlier lives, it is what a member could have recorded yesterday.
 */
import { createHash } from 'node:crypto'
import type { Message } from '../../../mesh/core/message.ts'
import { around } from '../../../mesh/sim/network.ts'
import { World } from '../../../mesh/sim/world.ts'
import { encodeMessage } from '../../../mesh/wire/codec.ts'
import type { RealMesh } from '../real-mesh.ts'
import { LEADER } from '../sample-mesh.ts'
import { SIGNED } from './mutations.ts'
import { isRecord, mapped, type Plain } from './plain.ts'

const NODES = 16
const [DIES, LOSES, LEAVES] = ['node-7', 'node-9', 'node-11']
/** Enough of each kind to differ from each other. */
const PER_KIND = 40

/** Every kind of message, and of statement, that an honest mesh sends. */
export function recordHonest(): readonly Message[] {
  const kept = new Map<string, Message[]>()
  const keep = (message: Message) => {
    const ofKind = shapeOf(message)
    const known = kept.get(ofKind) ?? []
    kept.set(ofKind, known)
    if (known.length < PER_KIND) known.push(message)
  }
  const world = new World({ nodes: NODES, zones: 3, seed: 5, onSend: keep })
  const { agenda, network } = world.stage
  agenda.runUntil(8_000)
  world.publish('node-2', 'detector/disk', Buffer.from('all is well'), 60_000)
  world.publish(LEADER, 'settings', Buffer.from('none'), 60_000)
  const document = Buffer.from('detectors: {}')
  world.documents(LEADER, [document], [])
  world.documents('node-2', [], [createHash('sha256').update(document).digest('hex')])
  world.leave(LEAVES, 'update', 60_000)
  world.stage.setHost(DIES, 'down')
  agenda.runUntil(20_000)
  network.impair(around(new Set([LOSES]), 0.8))
  agenda.runUntil(50_000)
  world.advance(world.roster.members.map(({ node }) => node).filter((node) => node !== LEAVES))
  agenda.runUntil(60_000)
  return [...kept.values()].flat()
}

/** Its kind, and what makes it worth another forty: what the statement says, and whether anybody was asked or answers. */
function shapeOf(message: Message): string {
  const [first] = message.kind === 'gossip' ? message.items : []
  const asked = message.kind === 'roll-call' ? message.call.rollCall.subjects : []
  const answered = message.kind === 'answers' ? message.answers : []
  return `${message.kind} ${first?.signed.statement.body.kind} ${asked.length > 0} ${answered.length > 0}`
}

/** The same in the names of a real mesh, with true signatures of whoever says it. */
export function asOf(mesh: RealMesh, message: Message): Uint8Array {
  const members = mesh.roster.members
  const names = (value: Plain): Plain => {
    const number = typeof value === 'string' ? /^node-(\d+)$/.exec(value)?.[1] : undefined
    return number === undefined ? value : (members[Number(number) % members.length]?.node ?? value)
  }
  const said = mapped(mapped(message as unknown as Plain, names), (value) => signedAgain(mesh, value))
  return encodeMessage(said as unknown as Message)
}

function signedAgain(mesh: RealMesh, value: Plain): Plain {
  if (!isRecord(value)) return value
  for (const [part, purpose, signer] of SIGNED) {
    const payload = value[part]
    if (payload === undefined || !isRecord(payload)) continue
    const node = String(payload[signer])
    const earlier = inEarlierLife(payload, mesh.enrolled(node).member.serial, mesh.roster.epoch)
    return { ...value, [part]: earlier, signature: mesh.keyringOf(node).sign(purpose, earlier) }
  }
  return value
}

function inEarlierLife(payload: { readonly [field: string]: Plain }, serial: number, epoch: number): Plain {
  const earlier: Record<string, Plain> = { serial, voterSerial: serial, boot: 0, term: 0, epoch }
  return Object.fromEntries(Object.entries(payload).map(([name, part]) => [name, earlier[name] ?? part]))
}
