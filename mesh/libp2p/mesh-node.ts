/**
 * A running node of the mesh: the core, driven by real time, randomness, libp2p and sockets. It carries out what the core
 * asks for and tells its owner what the core concludes; it decides nothing.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { Core } from '../core/core.ts'
import { NOTE_BYTES_MAX } from '../core/gossip.ts'
import type { Effect, Input, Message } from '../core/message.ts'
import type { Member, Millis, Now, Roster } from '../core/model.ts'
import { DEFAULT_TIMING } from '../core/timing.ts'
import { readCertificate } from '../identity/enrolment.ts'
import { createKeyring } from '../identity/keyring.ts'
import { readRoster, rosterHash } from '../identity/signed-roster.ts'
import { decodeMessage, decodeValue, encodeMessage, encodeValue } from '../wire/codec.ts'
import { incarnationSchema } from '../wire/schema.ts'
import { createHostChannel } from './host-channel.ts'
import type { MeshNode, MeshNodeOptions } from './running-node.ts'
import { createTransport } from './transport.ts'

/** A timer this late means that messages may be waiting which arrived before it should have fired. */
const LATE_TIMER_MS = 50

/** Turns of the event loop in which Noise and Yamux hand over what has arrived. */
const DRAIN_TURNS = 4

/** What a leave takes to be on its way: a few turns of Noise and Yamux. */
const LEAVE_FLUSH_MS = 50

const helloSchema = z.strictObject({
  certificate: z.instanceof(Uint8Array),
  incarnation: incarnationSchema,
})

/** Throws when it cannot listen. */
export async function startMeshNode(options: MeshNodeOptions): Promise<MeshNode> {
  const { identity, roster, onTraffic } = options
  const keyring = createKeyring(identity.keys, roster)
  let members = membersOf(roster)
  let byPeerId = new Map([...members.values()].map((member) => [member.peerId, member]))
  const memberNamed = (name: string): Member => {
    const member = members.get(name)
    if (member === undefined) throw new Error(`${name} is not in the roster`)
    return member
  }
  const core = new Core(readClocks(), {
    node: identity.node,
    incarnation: identity.incarnation,
    roster,
    rosterBytes: options.rosterBytes,
    keyring,
    timing: options.timing ?? DEFAULT_TIMING,
    random: Math.random,
    ...(options.aggregator === undefined
      ? {}
      : {
          aggregator: {
            saidBefore: options.aggregator.saidBefore,
            heartbeats: options.heartbeats !== undefined,
            rosterHash: rosterHash(roster),
            nonce: () => randomBytes(16).toString('hex'),
          },
        }),
  })

  const transport = await createTransport({
    keys: identity.keys,
    listen: options.listen,
    memberOf: (peerId) => byPeerId.get(peerId),
    hello: () => encodeValue({ certificate: identity.certificate, incarnation: core.incarnation }),
    readHello: (member, bytes) => {
      const { certificate, incarnation } = decodeValue(helloSchema, bytes)
      const enrolment = readCertificate(certificate, identity.caKey, roster.mesh, Date.now())
      const isMember = enrolment.node === member.node && enrolment.peerId === member.peerId
      if (!isMember || enrolment.serial !== member.serial || incarnation.serial !== member.serial) {
        throw new Error(`the certificate of ${enrolment.node} is not that of ${member.node} in the roster`)
      }
      return incarnation
    },
    onOpened: (peer, by, incarnation) => step({ kind: 'opened', peer, by, incarnation }),
    onClosed: (peer, by) => step({ kind: 'closed', peer, by }),
    onFrame: (peer, frame) => {
      // Throws for what is no message: the transport then counts it and cuts the stream.
      const message = decodeMessage(frame)
      onTraffic({ kind: 'received', message: message.kind, bytes: frame.length })
      step({ kind: 'message', from: peer, message })
    },
    answer: async (from, topic, bytes) => {
      if (options.onAsked === undefined) throw new Error('nothing can be asked here')
      return await options.onAsked(from, topic, bytes)
    },
    onDropped: (from, why) => onTraffic({ kind: 'dropped', why, from }),
  })

  const hostChannel = createHostChannel(transport.prove)

  let timer: NodeJS.Timeout | undefined
  let timerFor = Number.NaN
  let isDraining = false
  let isStopped = false

  // What goes to several peers is one message, and is encoded once.
  let latest: { readonly message: Message; readonly frame: Uint8Array } | undefined
  const frameOf = (message: Message): Uint8Array => {
    if (latest?.message !== message) latest = { message, frame: encodeMessage(message) }
    return latest.frame
  }

  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case 'send': {
        const frame = frameOf(effect.message)
        onTraffic({ kind: 'sent', message: effect.message.kind, bytes: frame.length })
        transport.send(effect.to, effect.via, frame)
        return
      }
      case 'dial':
        transport.dial(memberNamed(effect.peer))
        return
      case 'abort':
        transport.abort(memberNamed(effect.peer))
        return
      case 'askHost': {
        const { subject } = effect
        const controls = effect.controls.map(memberNamed)
        hostChannel.ask(memberNamed(subject), controls, {
          accepted: () => step({ kind: 'hostAccepted', subject }),
          answered: (answer) => step({ kind: 'hostAnswer', subject, answer }),
        })
        return
      }
      case 'heard':
        options.onStatement(effect.signed)
        return
      case 'rosterOffered':
        try {
          advance(effect.bytes)
        } catch {
          onTraffic({ kind: 'dropped', why: 'roster', from: effect.from })
        }
        return
      case 'documentCame':
        options.onDocument(effect.hash, effect.bytes)
        return
      case 'readHeartbeat':
        void readHeartbeat(effect.subject, effect.silentMs)
        return
      case 'reach':
        options.aggregator?.onReach(effect)
        return
      case 'called':
        options.aggregator?.onCalled(effect.by, effect.term)
        return
      case 'commit':
        options.onCommit(effect.certificate)
        return
      case 'notice':
        options.onNotice(effect.notice)
        return
      case 'dropped':
        onTraffic({ kind: 'dropped', why: effect.why, from: effect.from })
        return
    }
  }

  async function readHeartbeat(subject: string, silentMs: Millis): Promise<void> {
    // What cannot be read is not known; the core waits no longer than for that.
    const renewed = await options.heartbeats?.(subject, silentMs).catch(() => undefined)
    step({ kind: 'heartbeat', subject, renewed })
  }

  function advance(bytes: Uint8Array): void {
    const later = readRoster(bytes, identity.caKey, roster.mesh, Date.now())
    if (later.epoch <= core.roster.epoch) throw new Error(`epoch ${later.epoch} is not later than ${core.roster.epoch}`)
    options.onRoster(bytes)
    // By the key that they had: under their names the core finds those of now.
    const next = membersOf(later)
    for (const { node, peerId } of next.values()) {
      const before = members.get(node)
      if (before !== undefined && before.peerId !== peerId) transport.abort(before)
    }
    byPeerId = new Map([...next.values()].map((member) => [member.peerId, member]))
    // Edges to those that are gone must still be cut.
    members = new Map([...members, ...next])
    keyring.advance(later)
    step({ kind: 'roster', roster: later, hash: rosterHash(later), bytes })
  }

  function step(input: Input): void {
    if (isStopped) return
    try {
      for (const effect of core.step(readClocks(), input)) perform(effect)
    } catch (error) {
      // Nothing a peer sends makes the core throw: this is our own store or a bug. Going on would leave effects undone that
      // the core holds to be done, so the process ends, and the next one starts from what is on record.
      queueMicrotask(() => {
        throw error
      })
      return
    }
    schedule()
  }

  function schedule(): void {
    const due = core.nextTickAt
    // Set once for each time: a timer that every message sets anew would never fire under load.
    if (due === timerFor || isDraining) return
    clearTimeout(timer)
    timerFor = due
    timer = setTimeout(() => void tick(due), Math.max(0, due - performance.now()))
  }

  /** After a pause, what has arrived is heard before anything is held to be late. */
  async function tick(due: Millis): Promise<void> {
    isDraining = performance.now() - due >= LATE_TIMER_MS
    for (let turn = 0; isDraining && turn < DRAIN_TURNS; turn++) await nextTurn()
    isDraining = false
    timerFor = Number.NaN
    step({ kind: 'tick' })
  }

  schedule()
  return {
    publish: (topic, bytes, ttlMs) => {
      // Receivers would cut us off for it.
      if (bytes.length > NOTE_BYTES_MAX)
        throw new RangeError(`a note of ${bytes.length} bytes is over ${NOTE_BYTES_MAX}`)
      step({ kind: 'publish', topic, bytes, ttlMs })
    },
    exchange: (holds, seeks) => step({ kind: 'documents', holds, seeks }),
    ask: async (peer, topic, bytes, withinMs) => await transport.ask(memberNamed(peer), topic, bytes, withinMs),
    lives: (subject) => step({ kind: 'heartbeat', subject, renewed: true }),
    askAfresh: (subject) => step({ kind: 'askAfresh', subject }),
    get peerClocks() {
      return core.observer.peerClocks
    },
    peerLinks: () => core.observer.peerLinks(performance.now()),
    votes: () => core.observer.votes(performance.now()),
    heardWithin: (ms) => core.heardSince(performance.now() - ms),
    get incarnation() {
      return core.incarnation
    },
    get convictable() {
      return core.observer.convictable(performance.now())
    },
    get roster() {
      return core.roster
    },
    keyring,
    get degraded() {
      return core.observer.degraded
    },
    get follows() {
      return core.follows
    },
    advance,
    now: () => performance.now(),
    get leader() {
      return core.leader
    },
    canvass: (term) => step({ kind: 'canvass', term }),
    lead: (term, standing) => step({ kind: 'lead', term, standing }),
    standBy: () => step({ kind: 'standBy' }),
    stop: async (leave) => {
      if (leave !== undefined) {
        step({ kind: 'leave', ...leave })
        await wait(LEAVE_FLUSH_MS)
      }
      isStopped = true
      clearTimeout(timer)
      await transport.stop()
    },
  }
}

function membersOf({ members, aggregators }: Roster): ReadonlyMap<string, Member> {
  return new Map([...members, ...aggregators].map((member) => [member.node, member]))
}

function readClocks(): Now {
  return { ms: performance.now(), wallMs: Date.now() }
}
