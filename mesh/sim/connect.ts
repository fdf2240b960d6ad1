/** Opening a connection: SYNs and their answers, each a packet that may be lost, and what a kernel answers. */
import type { Port } from '../core/channel.ts'
import type { Machine, Stage } from './stage.ts'

/** Times at which Linux sends the first packet of a connection, ms after the connect: 1 s, then doubling. */
export const SYN_AT_MS = [0, 1_000, 3_000, 7_000]

export type Reach = 'accepted' | 'refused' | 'nothing'

export interface ConnectOptions {
  readonly from: Machine
  readonly to: Machine
  readonly port: Port
  /** When a SYN goes out unless there has been an answer, ms after the start, ascending. */
  readonly synAtMs: readonly number[]
  /** An answer that is not there by then has not come, ms after the start. */
  readonly untilMs: number
  /** `syns`: how many it took. */
  answered(reach: Reach, syns: number): void
}

/** Ends in `answered`, once. The answer to a SYN is not resent, since the next SYN asks for it again. */
export function connect(stage: Stage, { from, to, port, synAtMs, untilMs, answered }: ConnectOptions): void {
  const { agenda, network } = stage
  const startedAt = agenda.now
  let isOver = false
  let syns = 0
  const end = (reach: Reach) => {
    if (isOver) return
    isOver = true
    answered(reach, syns)
  }
  const knock = () => {
    const answer = answerOf(to, port)
    const delay = answer === undefined ? undefined : network.fate(to.name, from.name)
    if (answer !== undefined && delay !== undefined) agenda.at(agenda.now + delay, end, answer)
  }
  const attempt = (index: number) => {
    if (isOver) return
    syns++
    const delay = network.fate(from.name, to.name)
    if (delay !== undefined) agenda.at(agenda.now + delay, knock)
    const nextAt = synAtMs[index + 1] ?? untilMs
    if (nextAt < untilMs) agenda.at(startedAt + nextAt, attempt, index + 1)
    else agenda.at(startedAt + untilMs, end, 'nothing')
  }
  attempt(0)
}

/** What a kernel answers to a SYN; undefined when it, or a firewall before it, swallows it. */
function answerOf({ host, takesConnections, closedPorts }: Machine, port: Port): 'accepted' | 'refused' | undefined {
  if (host === 'down' || !takesConnections) return undefined
  if (port === 'kubelet' || host !== 'agentDown') return 'accepted'
  return closedPorts === 'drop' ? undefined : 'refused'
}
