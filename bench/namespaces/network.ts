/**
 * Machines on one switch: a namespace each, with one cable (a veth pair) into a bridge in a namespace of its own. Faults
 * of cables and paths. Kept for this process alone, and gone with it however it ends, short of SIGKILL.
 */
import {
  addNamespace,
  enter,
  ipIn,
  makeFolder,
  namespaceCalled,
  removeFolder,
  removeLeftovers,
  removeNamespaces,
  runIn,
} from './namespace.ts'

export interface Machine {
  readonly name: string
  /** Of 10.77.0.0/24. */
  readonly address: string
}

/** Ends a fault. May be called again, and does nothing then. */
export type Heal = () => Promise<void>

/** Without a listener they end a process with no word to those who wait for its exit. */
const DEADLY = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const exit = () => process.exit(1)

export class Network {
  /** For the files of what runs here; gone with the network. */
  readonly dir: string
  readonly #machines: readonly Machine[]
  readonly #switch = namespaceCalled('switch')

  /** One at a time in a process. Throws when the machine refuses; nothing is left then. */
  constructor(machines: readonly Machine[]) {
    removeLeftovers()
    this.#machines = machines
    this.dir = makeFolder()
    process.once('exit', this.remove)
    for (const signal of DEADLY) process.once(signal, exit)
    try {
      this.#create()
    } catch (error) {
      this.remove()
      throw error
    }
  }

  /** The words to put before a command that is to run on that machine. */
  on(machine: string): readonly string[] {
    return enter(namespaceCalled(machine))
  }

  /** Runs a program to its end on that machine and gives what it wrote. Rejects when it fails. */
  run(machine: string, ...command: readonly string[]): Promise<string> {
    return runIn(namespaceCalled(machine), ...command)
  }

  /**
   * Pulls the cable at the switch: the machine's own programs go on, and nobody hears them. Done when it returns. Others
   * still have its hardware address for some seconds, and find no new one: then connects fail with EHOSTUNREACH.
   */
  pull(machine: string): void {
    ipIn(this.#switch, [`link set ${this.#port(machine)} down`])
  }

  plug(machine: string): void {
    ipIn(this.#switch, [`link set ${this.#port(machine)} up`])
  }

  /**
   * Swallows packets of `from` as they reach `to`, each with that chance in (0, 1]. It is IP alone, on the far side: the
   * sender's kernel is told nothing and resends ever more rarely, ARP is still answered, the link stays up.
   */
  swallow(from: string, to: string, chance = 1): Promise<Heal> {
    return this.drop(to, ['--source', this.#machine(from).address], chance)
  }

  /** `swallow`, between this machine and every other, both ways. */
  async swallowAround(machine: string, chance = 1): Promise<Heal> {
    const others = this.#machines.filter(({ name }) => name !== machine)
    const heals = await Promise.all([
      this.drop(machine, ['--in-interface', 'eth0'], chance),
      ...others.map(({ name }) => this.swallow(machine, name, chance)),
    ])
    return async () => {
      await Promise.all(heals.map((heal) => heal()))
    }
  }

  /** `swallow` between this machine and those others, both ways: the rest of the network goes on with it. */
  async cutOff(machine: string, from: readonly string[]): Promise<Heal> {
    const heals = await Promise.all(
      from.flatMap((other) => [this.swallow(other, machine), this.swallow(machine, other)]),
    )
    return async () => {
      await Promise.all(heals.map((heal) => heal()))
    }
  }

  /** Swallows what reaches a machine and `match` fits: words of iptables, such as `--protocol tcp --dport 10250`. */
  async drop(at: string, match: readonly string[], chance = 1): Promise<Heal> {
    const luck = chance < 1 ? ['--match', 'statistic', '--mode', 'random', '--probability', String(chance)] : []
    const rule = ['INPUT', ...match, ...luck, '--jump', 'DROP']
    await this.run(at, 'iptables', '--wait', '--append', ...rule)
    return once(async () => {
      await this.run(at, 'iptables', '--wait', '--delete', ...rule)
    })
  }

  /** Ends every process in the network, and the network. Blocks. A property, so that it can be a listener. */
  readonly remove = (): void => {
    process.off('exit', this.remove)
    for (const signal of DEADLY) process.off(signal, exit)
    removeNamespaces([...this.#machines.map(({ name }) => namespaceCalled(name)), this.#switch])
    removeFolder(this.dir)
  }

  #create(): void {
    addNamespace(this.#switch)
    const cables = this.#machines.map(({ name, address }) => {
      const namespace = namespaceCalled(name)
      addNamespace(namespace)
      return { namespace, address, port: this.#port(name) }
    })
    ipIn(this.#switch, [
      'link add br0 type bridge',
      'link set br0 up',
      ...cables.flatMap(({ namespace, port }) => [
        `link add ${port} type veth peer name eth0 netns ${namespace}`,
        `link set ${port} master br0 up`,
      ]),
    ])
    for (const { namespace, address } of cables) {
      ipIn(namespace, ['link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up'])
    }
  }

  #machine(name: string): Machine {
    const machine = this.#machines.find((each) => each.name === name)
    if (machine === undefined) throw new Error(`there is no machine ${name}`)
    return machine
  }

  #port(machine: string): string {
    return `port${this.#machines.indexOf(this.#machine(machine))}`
  }
}

function once(run: () => Promise<void>): Heal {
  let done: Promise<void> | undefined
  return () => {
    done ??= run()
    return done
  }
}
