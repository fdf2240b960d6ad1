/**
 * The real second channel: asks a host itself over plain sockets. Seven connects over 0.9 s, so that a lost SYN
 * in a lossy network is no silence (a SYN is resent only after 1 s); then, on a port that accepts, proof that a program
 * is behind it.
 */
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { type HostAnswer, type HostChannel, LOSSY_FROM_CONNECTS, type PortResult } from '../core/channel.ts'
import type { Member } from '../core/model.ts'

/** When each of the connects is started, ms after the first. */
const CONNECTS_AT_MS = [0, 150, 300, 450, 600, 750, 900]

/**
 * No connect answered by then: nothing. The series spans 0.9 s, so that with the 0.3 s before it a host that was paused for
 * up to 1.2 s still answers one; the last has a fifth of a second to be answered.
 */
const NOTHING_AFTER_MS = 1_100

/** A port that accepts and then says nothing for this long is mute. Slow is not hung: hence not a second sooner. */
const MUTE_AFTER_MS = 2_000

/** Turns of the event loop granted to answers that had arrived while this process was not running. */
const QUIET_TURNS = 3

/** How long the other port, and the controls, have when one port has proved that a program runs there. */
const OTHERS_MS = 150

const NOBODY: Reached = { reach: 'nothing', connects: 0 }

interface Reached {
  readonly reach: Reach
  readonly connects: number
}

type Reach = 'accepted' | 'refused' | 'nothing'

/** Who completes a handshake on a member's port: its own agent, somebody with another key, or nobody in time. */
export type Proof = 'own' | 'stranger' | 'nobody'

/** Never rejects: any failure but another key is `nobody`. */
export type ProveAgent = (member: Member, signal: AbortSignal) => Promise<Proof>

const PORT_RESULTS: Readonly<Record<Proof, PortResult>> = {
  own: 'userland',
  // The address is another machine's by now, and what that one answers says nothing of this one.
  stranger: 'nothing',
  nobody: 'mute',
}

export function createHostChannel(prove: ProveAgent): HostChannel {
  return {
    ask: (subject, controls, { accepted, answered }) => {
      void askHost(subject, controls, prove, accepted).then(answered)
    },
  }
}

async function askHost(
  member: Member,
  controls: readonly Member[],
  prove: ProveAgent,
  accepted: () => void,
): Promise<HostAnswer> {
  const host = member.hosts[0] ?? ''
  const ports = [
    askPort(host, member.meshPort, accepted, async (signal) => PORT_RESULTS[await prove(member, signal)]),
    askPort(host, member.kubeletPort, accepted, (signal) => askHttp(host, member.kubeletPort, signal)),
  ] as const
  // A paused agent would keep its answer, and the kubelet's with it, for two seconds.
  const enough = Promise.any(ports.map(provesLife)).then(() => wait(OTHERS_MS, undefined, { ref: false }))
  const orLate = <T>(answer: Promise<T>, late: T) =>
    Promise.race([
      answer,
      enough.then(
        () => late,
        () => answer,
      ),
    ])
  const [agent, kubelet, ...controlled] = await Promise.all([
    orLate<PortResult>(ports[0], 'late'),
    orLate<PortResult>(ports[1], 'late'),
    ...controls.map((control) => orLate(reachOf(control.hosts[0] ?? '', control.meshPort), NOBODY)),
  ])
  return { ports: { agent, kubelet }, control: controlled.some(({ reach }) => reach === 'accepted') }
}

/** Rejects unless a program answered. */
async function provesLife(port: Promise<PortResult>): Promise<void> {
  if ((await port) !== 'userland') throw new Error('no program answered')
}

async function askPort(
  host: string,
  port: number,
  accepted: () => void,
  whoIsThere: (signal: AbortSignal) => Promise<PortResult>,
): Promise<PortResult> {
  const { reach, connects } = await reachOf(host, port)
  if (reach !== 'accepted') return reach
  accepted()
  const result = await whoIsThere(AbortSignal.timeout(MUTE_AFTER_MS))
  return result === 'mute' && connects >= LOSSY_FROM_CONNECTS ? 'lossy' : result
}

/** The first answer of the kernel there to any of the connects, and how many it took. */
async function reachOf(host: string, port: number): Promise<Reached> {
  const sockets: Socket[] = []
  const done = new AbortController()
  try {
    const reach = await new Promise<Reach>((resolve) => {
      const attempt = () => {
        const socket = connect({ host, port })
        sockets.push(socket)
        socket.once('connect', () => resolve('accepted'))
        // Unreachable, by ARP or by ICMP, is no answer of the host: it is left to the deadline.
        socket.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNREFUSED') resolve('refused')
        })
      }
      const signal = done.signal
      for (const at of CONNECTS_AT_MS) void wait(at, undefined, { signal }).then(attempt, () => {})
      void wait(NOTHING_AFTER_MS, undefined, { signal }).then(
        async () => {
          for (let turn = 0; turn < QUIET_TURNS; turn++) await nextTurn()
          resolve('nothing')
        },
        () => {},
      )
    })
    return { reach, connects: sockets.length }
  } finally {
    done.abort()
    for (const socket of sockets) socket.destroy()
  }
}

/** Any HTTP status will do: a kubelet answers plain HTTP on its TLS port with a 400. */
function askHttp(host: string, port: number, signal: AbortSignal): Promise<PortResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (isAlive: boolean) => {
      socket.destroy()
      resolve(isAlive ? 'userland' : 'mute')
    }
    socket.once('connect', () => socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`))
    socket.once('data', (bytes) => finish(bytes.toString('latin1').startsWith('HTTP/')))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
    signal.addEventListener('abort', () => finish(false), { once: true })
  })
}
