/** Pods with our readiness gate on a real control plane, with real kubelets' code: opened while we only watch, closed, opened. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GATE } from '../../aggregator/kubernetes/marking/gates.ts'
import { conditionOf, podOn, serviceOf } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { untilWhole } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'
import { shownOn } from './shown.ts'
import { theStage, WITHIN_MS } from './stage.ts'

const [APART, WELL] = ['node-2', 'node-6'] as const
const PODS = { [APART]: 'gated-1', [WELL]: 'gated-2' } as const
const SERVICE = 'gated'

describeReal('the readiness gate of pods that opted in', missingForNodes(), () => {
  let stage: ControlPlaneStage
  beforeAll(async () => {
    stage = await theStage()
    await putInForce(stage, { marking: { mode: 'observe' } })
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)
  afterAll(async () => {
    await stage.cluster.remove(Object.values(PODS), [SERVICE])
    await putInForce(stage, { marking: { mode: 'observe' } })
    await stage.cluster.untilReady([...stage.kubelets.keys()])
    await untilWhole(stage.mesh.client)
  }, WITHIN_MS)

  const gate = async (node: keyof typeof PODS) => {
    const condition = conditionOf(await stage.cluster.pod(PODS[node]), GATE)
    return `${condition?.status} ${condition?.reason}`
  }

  it(
    'is opened while we only watch, closed while their node is sick and its kubelet lives, and opened again',
    async () => {
      const opted = (node: keyof typeof PODS) => podOn(node, PODS[node], { app: SERVICE, [GATE]: 'web' }, [GATE])
      // Resolves when both are Ready, which their kubelets make them when the gates are open.
      await stage.cluster.add([opted(APART), opted(WELL)], [serviceOf(SERVICE)])
      expect([await gate(APART), await gate(WELL)]).toEqual(['True NodeHealthy', 'True NodeHealthy'])
      const served = async (...pods: readonly string[]) => {
        return JSON.stringify(await stage.cluster.endpoints(SERVICE)) === JSON.stringify(pods)
      }
      await stage.cluster.until('both endpoints', () => served(PODS[APART], PODS[WELL]))

      await putInForce(stage, { marking: { mode: 'condition' } })
      const heal = await stage.isolate(APART)
      try {
        await stage.cluster.until('the one endpoint that is left', () => served(PODS[WELL]))
        expect([await gate(APART), await gate(WELL)]).toEqual(['False Isolated', 'True NodeHealthy'])
        expect((await shownOn(stage.cluster, APART)).ready).toBe('True KubeletReady')
      } finally {
        await heal()
      }
      await stage.cluster.until('both endpoints again', () => served(PODS[APART], PODS[WELL]))
      expect(await gate(APART)).toBe('True NodeHealthy')
    },
    WITHIN_MS,
  )
})
