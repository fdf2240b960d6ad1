/** Nodes with pods behind one Service, and what of a node and of its pods shows that it is marked, or as it was. */
import { podOn, serviceOf } from '../../bench/control-plane/objects.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { shownOn } from './shown.ts'

export class Served {
  readonly #stage: ControlPlaneStage
  readonly #service: string
  readonly #pods = new Map<string, readonly string[]>()

  constructor(stage: ControlPlaneStage, service: string) {
    this.#stage = stage
    this.#service = service
  }

  /** Makes the Service. */
  async start(): Promise<void> {
    await this.#stage.cluster.add([], [serviceOf(this.#service)])
  }

  /** Each of these nodes has so many pods in all. Resolves when they are Ready. */
  async deploy(nodes: readonly string[], pods: number): Promise<void> {
    const planned = nodes.flatMap((node) => {
      const has = this.podsOf(node)
      const more = Array.from({ length: pods - has.length }, (_, index) => `${node}-pod-${has.length + index}`)
      this.#pods.set(node, [...has, ...more])
      return more.map((pod) => podOn(node, pod, { app: this.#service }))
    })
    await this.#stage.cluster.add(planned)
  }

  async remove(): Promise<void> {
    await this.#stage.cluster.remove([...this.#pods.values()].flat(), [this.#service])
  }

  podsOf(node: string): readonly string[] {
    return this.#pods.get(node) ?? []
  }

  async isMarked(node: string): Promise<boolean> {
    const [{ ready, own }, served] = await this.#look(node)
    return own === 'NodeDown' && ready !== 'True KubeletReady' && served === 0
  }

  async isUndone(node: string): Promise<boolean> {
    const [{ ready, own }, served] = await this.#look(node)
    return own === undefined && ready === 'True KubeletReady' && served === this.podsOf(node).length
  }

  async untilMarked(node: string): Promise<void> {
    await this.#stage.cluster.until(`${node} marked`, () => this.isMarked(node))
  }

  async untilUndone(node: string): Promise<void> {
    await this.#stage.cluster.until(`${node} as before`, () => this.isUndone(node))
  }

  /** Looks without a pause, to be there while the rest is still to come. */
  async untilFirstMark(node: string): Promise<void> {
    await this.#stage.cluster.until('the first of the marks', async () => {
      for (;;) if ((await shownOn(this.#stage.cluster, node)).own !== undefined) return true
    })
  }

  async #look(node: string) {
    const { cluster } = this.#stage
    const [shown, endpoints] = await Promise.all([shownOn(cluster, node), cluster.endpoints(this.#service)])
    return [shown, this.podsOf(node).filter((pod) => endpoints.includes(pod)).length] as const
  }
}
