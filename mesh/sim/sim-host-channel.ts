/**
 * The simulated second channel: the packets of mesh/libp2p/host-channel.ts, each with its own fate. A member's address is
 * the name of a machine on the stage, and so is its peer id.
 */
import {
  type HostChannel,
  type HostListener,
  LOSSY_FROM_CONNECTS,
  type Port,
  type PortResult,
} from '../core/channel.ts'
import type { Member } from '../core/model.ts'
import { connect, type Reach, SYN_AT_MS } from './connect.ts'
import { End } from './connection.ts'
import type { Machine, Stage } from './stage.ts'

/** As in mesh/libp2p/host-channel.ts; the last is the kernel's, which resends the first SYN. */
const CONNECTS_AT_MS = [0, 150, 300, 450, 600, 750, 900, 1_000]
const NOTHING_AFTER_MS = 1_100
const MUTE_AFTER_MS = 2_000

const OTHERS_MS = 150

/** Questions and answers until there is proof: of Noise, and of one HTTP request. */
const PROOF_ROUND_TRIPS: Readonly<Record<Port, number>> = { agent: 3, kubelet: 1 }

export class SimHostChannel implements HostChannel {
  readonly #stage: Stage
  readonly #from: Machine

  /** `from`: the machine that asks. */
  constructor(stage: Stage, from: Machine) {
    this.#stage = stage
    this.#from = from
  }

  ask(subject: Member, controls: readonly Member[], { accepted, answered }: HostListener): void {
    const found: { agent?: PortResult; kubelet?: PortResult } = {}
    const reaches: Reach[] = []
    let isOver = false
    const finish = () => {
      if (isOver) return
      isOver = true
      const { agent = 'late', kubelet = 'late' } = found
      answered({ ports: { agent, kubelet }, control: reaches.includes('accepted') })
    }
    const note = (result?: PortResult) => {
      const isWhole = found.agent !== undefined && found.kubelet !== undefined && reaches.length === controls.length
      if (isWhole) finish()
      else if (result === 'userland') this.#stage.agenda.at(this.#stage.agenda.now + OTHERS_MS, finish)
    }
    for (const control of controls) {
      this.#reach(this.#machineOf(control), 'agent', (reach) => {
        reaches.push(reach)
        note()
      })
    }
    for (const port of ['agent', 'kubelet'] as const) {
      this.#askPort(subject, port, accepted, (result) => {
        found[port] = result
        note(result)
      })
    }
  }

  #askPort(member: Member, port: Port, accepted: () => void, answered: (result: PortResult) => void): void {
    const machine = this.#machineOf(member)
    this.#reach(machine, port, (reach, syns) => {
      if (reach !== 'accepted') answered(reach)
      else {
        accepted()
        this.#prove(machine, port, member, (result) =>
          answered(result === 'mute' && syns >= LOSSY_FROM_CONNECTS ? 'lossy' : result),
        )
      }
    })
  }

  #reach(to: Machine, port: Port, answered: (reach: Reach, syns: number) => void): void {
    connect(this.#stage, {
      from: this.#from,
      to,
      port,
      synAtMs: CONNECTS_AT_MS,
      untilMs: NOTHING_AFTER_MS,
      answered,
    })
  }

  /** A connection of its own, on which the program behind the port has to answer in time. */
  #prove(to: Machine, port: Port, member: Member, answered: (result: PortResult) => void): void {
    const { agenda } = this.#stage
    let mine: End<number> | undefined
    let isOver = false
    const finish = (result: PortResult) => {
      if (isOver) return
      isOver = true
      mine?.abort()
      answered(result)
    }
    const proved = () => finish(port === 'agent' && to.name !== member.peerId ? 'nothing' : 'userland')
    agenda.at(agenda.now + MUTE_AFTER_MS, finish, 'mute')
    connect(this.#stage, {
      from: this.#from,
      to,
      port,
      synAtMs: SYN_AT_MS,
      untilMs: MUTE_AFTER_MS,
      answered: (reach) => {
        if (reach === 'accepted' && !isOver) mine = this.#converse(to, port, proved, () => finish('mute'))
        else finish('mute')
      },
    })
  }

  #converse(to: Machine, port: Port, proved: () => void, failed: () => void): End<number> {
    const [mine, theirs] = End.pair<number>(this.#stage, this.#from, to)
    const answer = (round: number) => {
      if (port === 'agent') this.#stage.whenRunning(to, 'input', () => theirs.send(round))
      else this.#stage.whenAwake(to, () => theirs.send(round))
    }
    mine.holder = {
      received: (round) => (round < PROOF_ROUND_TRIPS[port] ? mine.send(round + 1) : proved()),
      reset: failed,
    }
    theirs.holder = { received: answer, reset: () => {} }
    mine.send(1)
    return mine
  }

  #machineOf({ hosts, node }: Member): Machine {
    return this.#stage.machine(hosts[0] ?? node)
  }
}
