/** Several aggregators of one stage: which of them leads, by its own word and by the Lease, and how it is replaced. */
import { LEASE_NAME } from '../../aggregator/kubernetes/lease.ts'
import { NAMESPACE } from '../../bench/control-plane/manifests.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import type { Aggregator } from '../../bench/namespaces/mesh.ts'
import { messageOf } from '../../common/errors.ts'
import { nodeOfHolder } from '../../mesh/election/holder.ts'
import { ELECTION_TIMING } from '../../mesh/election/timing.ts'

const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${LEASE_NAME}`
/** As the election has it (docs/protocol.md section 6). */
export const LEASE_MS = ELECTION_TIMING.leaseMs
/** One that is stopped answers nothing. */
const METRICS_WITHIN_MS = 1_000

interface LeaseObject {
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number; readonly renewTime: string }
}

export interface Held {
  /** Empty: given up. */
  readonly by: string
  readonly term: number
  /** Wall clock, ms. */
  readonly renewedAt: number
}

export class Leaders {
  readonly #stage: ControlPlaneStage

  constructor(stage: ControlPlaneStage) {
    this.#stage = stage
  }

  async lease(): Promise<Held> {
    const { spec } = await this.#stage.plane.admin.get<LeaseObject>(LEASE)
    const { holderIdentity, leaseTransitions, renewTime } = spec
    return { by: nodeOfHolder(holderIdentity) ?? '', term: leaseTransitions, renewedAt: Date.parse(renewTime) }
  }

  /** The names of those that say that they lead; who does not answer says nothing. */
  async leading(): Promise<readonly string[]> {
    const said = await Promise.all(
      this.#stage.mesh.aggregators.map(async (each) => [each.name, await saysItLeads(each)]),
    )
    return said.flatMap(([name, leads]) => (leads === true ? [String(name)] : []))
  }

  /** Exactly one says that it leads, and has the Lease. */
  async leader(): Promise<Aggregator> {
    return await this.#stage.cluster.until('one that leads', async () => {
      const [[name, ...others], { by }] = await Promise.all([this.leading(), this.lease()])
      return name === by && others.length === 0 && this.#stage.mesh.aggregators.find((each) => each.name === name)
    })
  }

  /** The first two run. */
  startTwo(): void {
    for (const { process } of this.#stage.mesh.aggregators.slice(0, 2)) if (!process.isRunning) process.start()
  }

  /** The first of the others that run. */
  not(leader: Aggregator): Aggregator {
    const other = this.#stage.mesh.aggregators.find((each) => each !== leader && each.process.isRunning)
    if (other === undefined) throw new Error('no other aggregator runs')
    return other
  }

  /** The Lease goes, as by the hand of a person. */
  async takeLease(): Promise<void> {
    await this.#stage.plane.admin.remove(LEASE)
  }

  /** The Lease is another's under that term, as by the hand of a person. */
  async giveLease(holderIdentity: string, term: number): Promise<void> {
    await this.#stage.plane.admin.patch(LEASE, { spec: { holderIdentity, leaseTransitions: term } })
  }

  /** It leads, by its own word and by the Lease. */
  async untilLeads({ name }: Aggregator): Promise<void> {
    await this.#stage.cluster.until(`${name} leads`, async () => {
      return (await this.lease()).by === name && (await this.leading()).includes(name)
    })
  }

  /** It answers, and says whom to ask. */
  async untilStandsBy({ name, client }: Aggregator): Promise<void> {
    await this.#stage.cluster.until(`${name} stands by`, () =>
      client.state().then(
        () => false,
        (error: unknown) => messageOf(error).includes('stands by'),
      ),
    )
  }

  /** The Lease was renewed for so long since then by the wall clock, whoever has it. */
  async untilRenewedFor(since: number, ms: number): Promise<void> {
    await this.#stage.cluster.until('renewals of the Lease', async () => (await this.lease()).renewedAt - since >= ms)
  }

  /** Its process ends as by `kill -9`. */
  async kill({ name, process }: Aggregator): Promise<void> {
    process.signal('SIGKILL')
    await this.#stage.cluster.until(`the end of ${name}`, () => !process.isRunning)
  }

  /** Begins it anew, and resolves when it stands by. */
  async startAgain(aggregator: Aggregator): Promise<void> {
    aggregator.process.start()
    await this.untilStandsBy(aggregator)
  }
}

async function saysItLeads({ gate }: Aggregator): Promise<boolean> {
  const signal = AbortSignal.timeout(METRICS_WITHIN_MS)
  const text = await fetch(`http://127.0.0.1:${gate.port}/metrics`, { signal }).then(
    (answer) => answer.text(),
    () => '',
  )
  return /^starling_leader 1$/m.test(text)
}
