/** Whoever carries plans out, in the agent's own process or behind a socket, keeps the same word. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHost } from '../../../detectors/host/host.ts'
import type { Plan, Remediation } from '../../../remediators/contract.ts'
import { type Hands, noHands, ownHands } from '../../../remediators/hands.ts'
import type { Permit } from '../../../remediators/permits.ts'
import { startRemediation } from '../../../remediators/run.ts'
import { differs, NODE, permitFor, policyFor, sysctl, TRAITS } from '../parts.ts'
import { FixerStage, HERE, LIMIT_MS } from './stage.ts'

interface Held {
  readonly hands: Hands
  readonly permit: (plan: Plan) => Promise<Permit>
}

const ADAPTERS: Readonly<Record<string, (stage: FixerStage) => Promise<Held>>> = {
  'in this process': async ({ root }) => {
    const hands = ownHands({
      host: createHost({ node: HERE, root, peerOffsets: () => [] }),
      root,
      remediators: [sysctl],
    })
    return { hands, permit: async (plan) => permitFor(plan, { nonce: await hands.challenge() }) }
  },
  'behind a socket': async (stage) => {
    const hands = await stage.start()
    return { hands, permit: (plan) => stage.permit(hands, plan) }
  },
}

describe.each(Object.entries(ADAPTERS))('hands %s', (_, adapt) => {
  let stage: FixerStage
  let held: Held
  beforeEach(async () => {
    stage = await FixerStage.found()
    held = await adapt(stage)
  })
  afterEach(() => stage.tearDown())

  const apply = async (plan: Plan) => held.hands.apply(plan, await held.permit(plan), LIMIT_MS)

  it('give a new nonce each time', async () => {
    const nonces = [await held.hands.challenge(), await held.hands.challenge()]
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(nonces).size).toBe(2)
  })

  it('apply, and put back as often as they are told', async () => {
    const plan = stage.plan()
    await apply(plan)
    expect(stage.swappiness).toBe('10')
    await held.hands.revert(plan, LIMIT_MS)
    expect(stage.swappiness).toBe('60')
    await held.hands.revert(plan, LIMIT_MS)
    expect(stage.swappiness).toBe('60')
  })

  it('apply again what they put back, and what is applied already', async () => {
    const plan = stage.plan()
    await apply(plan)
    await held.hands.revert(plan, LIMIT_MS)
    await apply(plan)
    await apply(plan)
    expect(stage.swappiness).toBe('10')
    await held.hands.revert(plan, LIMIT_MS)
    expect(stage.swappiness).toBe('60')
  })

  it('say by name that the host is not as the plan says, and leave it so', async () => {
    writeFileSync(stage.swappinessFile, '33\n')
    await expect(apply(stage.plan())).rejects.toMatchObject({ name: 'StalePlan', message: /vm\.swappiness is 33/ })
    expect(stage.swappiness).toBe('33')
  })

  it('do nothing by a remediator that they do not have', async () => {
    await expect(apply(stage.plan({ remediator: 'unheard-of' }))).rejects.toThrow('unheard-of')
    expect(stage.swappiness).toBe('60')
  })

  it('say what could not be put back', async () => {
    const plan = stage.plan()
    await apply(plan)
    writeFileSync(stage.swappinessFile, '33\n')
    await held.hands.revert(plan, LIMIT_MS).catch((error: unknown) => expect(String(error)).toContain('33'))
  })
})

describe('a node without hands', () => {
  it('says that nobody here may change anything, and asks the leader for nothing', async () => {
    const stage = await FixerStage.found()
    const asked: unknown[] = []
    const said: Remediation[] = []
    const room = await startRemediation({
      node: NODE,
      stateDir: join(stage.folder, 'agent-state'),
      host: createHost({ node: NODE, root: stage.root, peerOffsets: () => [] }),
      root: stage.root,
      remediators: [sysctl],
      settings: { traits: TRAITS, remediators: {}, policies: [policyFor()] },
      verify: async () => [],
      announce: (remediation) => said.push(remediation),
      ask: (request) => asked.push(request),
      around: () => ({ isLed: true, neighbours: undefined }),
      hands: noHands,
    })
    await room.onReport({ detector: 'kernel-params', findings: [differs()] })
    await room.stop()
    expect(said.at(-1)).toMatchObject({ phase: 'refused', why: 'no fixer on this node' })
    expect([asked, stage.swappiness]).toEqual([[], '60'])
    await stage.tearDown()
  })

  it('says so of everything, and that nothing was changed', async () => {
    const stage = await FixerStage.found()
    const plan = stage.plan()
    await expect(noHands.challenge()).rejects.toThrow('no fixer on this node')
    await expect(noHands.apply(plan, null, LIMIT_MS)).rejects.toMatchObject({ name: 'StalePlan' })
    await expect(noHands.revert(plan, LIMIT_MS)).rejects.toThrow('no fixer on this node')
    await stage.tearDown()
  })
})
