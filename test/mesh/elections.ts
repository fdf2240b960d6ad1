/**
 * Replicas without a mesh of cores: the shipped election, an API server that delays and loses, and of the mesh only what the
 * election hears of it: whom a roll-call reaches, and that nobody follows an earlier term.
 */
import { nodeOfHolder } from '../../mesh/election/holder.ts'
import type { Answer, ElectionNotice } from '../../mesh/election/model.ts'
import { Agenda } from '../../mesh/sim/agenda.ts'
import { type Fate, SimApi } from '../../mesh/sim/election/api.ts'
import { LeaseServer } from '../../mesh/sim/election/lease-server.ts'
import { Replica } from '../../mesh/sim/election/replica.ts'
import { seededRandom } from '../../mesh/sim/random.ts'

const LIVE = 20
const ROLL_CALL_EVERY_MS = 5_000
const HEARD_WITHIN_MS = 20
/** As Reach counts them (mesh/core/reach.ts). */
const FAILURES_MAX = 3

/** One aggregator's machine: its process, and what it reaches. */
interface Seat {
  readonly node: string
  life: Life | undefined
  boot: number
  pausedUntil: number
  cutFromMeshUntil: number
  cutFromApiUntil: number
  /** A firewall that says that nobody listens, though a process does. */
  liesToKnocks: boolean
}

interface Life {
  readonly replica: Replica
  readonly waiting: (() => void)[]
  /** Of the roll-calls of this leadership. */
  failures: number
}

export class Elections {
  readonly agenda = new Agenda()
  readonly api: SimApi
  readonly random: () => number
  readonly notices: ElectionNotice[] = []
  /** Node and term of each leadership, in order. */
  readonly led: (readonly [node: string, term: number])[] = []
  readonly #seats: readonly Seat[]
  #meshTerm = 0

  /** `fate`: what becomes of each request; as a server next door unless given. */
  constructor(replicas: number, seed: number, fate?: (random: () => number) => Fate) {
    this.random = seededRandom(seed)
    const drawn = fate && (() => fate(this.random))
    this.api = new SimApi(this.agenda, this.random, new LeaseServer(), drawn)
    this.#seats = Array.from({ length: replicas }, (_, index) => ({
      ...{ node: `aggregator-${index + 1}`, life: undefined, boot: 0 },
      ...{ pausedUntil: 0, cutFromMeshUntil: 0, cutFromApiUntil: 0, liesToKnocks: false },
    }))
    for (let index = 0; index < replicas; index++) this.start(index)
    this.#callTheRoll()
  }

  /** Lets time pass; `look` is called after every so many ms of it. */
  passes(ms: number, look: () => void = () => {}, everyMs = 50): this {
    const until = this.agenda.now + ms
    while (this.agenda.now < until) {
      this.agenda.runUntil(Math.min(until, this.agenda.now + everyMs))
      look()
    }
    return this
  }

  start(index: number): void {
    const seat = this.#seat(index)
    if (seat.life !== undefined) return
    seat.boot++
    const waiting: (() => void)[] = []
    const life: Life = { waiting, failures: 0, replica: new Replica(this.#sidesOf(seat, waiting)) }
    seat.life = life
  }

  kill(index: number): void {
    this.#seat(index).life = undefined
  }

  pause(index: number, ms: number): void {
    const seat = this.#seat(index)
    seat.pausedUntil = Math.max(seat.pausedUntil, this.agenda.now + ms)
    this.agenda.at(seat.pausedUntil, () => this.#wake(seat))
  }

  cutFromMesh(index: number, ms: number): void {
    this.#seat(index).cutFromMeshUntil = this.agenda.now + ms
  }

  cutFromApi(index: number, ms: number): void {
    this.#seat(index).cutFromApiUntil = this.agenda.now + ms
  }

  lieToKnocksAt(index: number): void {
    this.#seat(index).liesToKnocks = true
  }

  replica(index: number): Replica {
    const { life } = this.#seat(index)
    if (life === undefined) throw new Error(`replica ${index} does not run`)
    return life.replica
  }

  /** Replicas that might write if they ran at this very moment, also those that are paused. */
  get writers(): readonly number[] {
    return this.#those(({ mayWrite }) => mayWrite)
  }

  get leaders(): readonly number[] {
    return this.#those(({ election }) => election.leads)
  }

  #those(are: (replica: Replica) => boolean): readonly number[] {
    return this.#seats.flatMap(({ life }, index) => (life !== undefined && are(life.replica) ? [index] : []))
  }

  #sidesOf(seat: Seat, waiting: (() => void)[]): ConstructorParameters<typeof Replica>[0] {
    const { agenda, api, random } = this
    const holder = `${seat.node}_1.${seat.boot}`
    const { boot } = seat
    const lives = () => seat.boot === boot && seat.life !== undefined
    return {
      holder,
      agenda,
      api,
      random,
      reachesApi: () => agenda.now >= seat.cutFromApiUntil,
      // Also while the replica is being made.
      whenRunning: (react) => {
        if (!lives()) return
        if (agenda.now >= seat.pausedUntil && waiting.length === 0) react()
        else waiting.push(react)
      },
      knock: (other, answered) => this.#knock(seat, other, answered),
      canvass: (term) => this.#ask(seat, term),
      lead: (term) => {
        this.led.push([seat.node, term])
        if (seat.life !== undefined) seat.life.failures = 0
        this.#ask(seat, term)
      },
      standBy: () => {},
      onNotice: (notice) => void this.notices.push(notice),
    }
  }

  #wake(seat: Seat): void {
    if (this.agenda.now < seat.pausedUntil) return
    for (const react of seat.life?.waiting.splice(0) ?? []) react()
  }

  /** Its host always answers here: a host that is dead is a process that is cut from everything. */
  #knock(from: Seat, holder: string, answered: (answer: Answer) => void): void {
    const node = nodeOfHolder(holder)
    const seat = this.#seats.find((one) => one.node === node)
    const isGone = node === from.node || seat?.life === undefined || seat.liesToKnocks
    this.agenda.at(this.agenda.now + 1, () => answered(isGone ? 'refused' : 'accepted'))
  }

  /** A roll-call or a canvass: whoever reaches the mesh reaches all of it, but under an earlier term nobody answers. */
  #ask(seat: Seat, term: number): void {
    const { agenda } = this
    const isHeard = agenda.now >= seat.cutFromMeshUntil && term >= this.#meshTerm
    if (isHeard && term > this.#meshTerm) {
      this.#meshTerm = term
      for (const other of this.#seats) {
        const hears = () => other !== seat && agenda.now >= other.cutFromMeshUntil
        const at = agenda.now + HEARD_WITHIN_MS * this.random()
        agenda.at(at, () => hears() && other.life?.replica.take({ kind: 'called', term }))
      }
    }
    agenda.at(agenda.now + HEARD_WITHIN_MS, () => {
      const { life } = seat
      if (life === undefined || life.replica.election.term !== term) return
      life.failures = isHeard ? 0 : life.failures + 1
      const holds = life.replica.election.leads ? life.failures < FAILURES_MAX : isHeard
      life.replica.take({ kind: 'reach', term, present: isHeard ? LIVE : 0, live: LIVE, holds })
      // Whoever asks under an earlier term is shown the later one.
      const isOutdated = term < this.#meshTerm && agenda.now >= seat.cutFromMeshUntil
      if (isOutdated) life.replica.take({ kind: 'called', term: this.#meshTerm })
    })
  }

  #callTheRoll(): void {
    const { agenda } = this
    agenda.at(agenda.now + ROLL_CALL_EVERY_MS, () => {
      for (const seat of this.#seats) {
        const isRunning = agenda.now >= seat.pausedUntil
        const { election } = seat.life?.replica ?? {}
        if (election?.leads && isRunning) this.#ask(seat, election.term)
      }
      this.#callTheRoll()
    })
  }

  #seat(index: number): Seat {
    const seat = this.#seats[index]
    if (seat === undefined) throw new RangeError(`no replica ${index}`)
    return seat
  }
}
