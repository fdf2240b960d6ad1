import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Explanation } from '../../aggregator/model.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal, needsNetworkNamespace } from '../real-part.ts'
import { buildPage, withPage } from './browser.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS, inNamespace } from './starling.ts'

const SOMAXCONN = '/proc/sys/net/core/somaxconn'
const TEST_WITHIN_MS = 4 * DEADLINE_MS

const SETTINGS = `
version: 1
mesh: local
detectors: {kernel-params: {every: 5s, options: {wanted: {net.core.somaxconn: 4096}}}}
remediators: {sysctl: {mode: approve}}
guards: {coolDown: 0s}
`

/** Two nodes, which share the kernel of their namespace: what one mends is mended for the other. */
describeReal('a kernel parameter, from finding to fix', needsNetworkNamespace() ?? needsChromium(), () => {
  let dir: string
  let mesh: LocalMesh
  let ofMachine: string
  beforeAll(async () => {
    ofMachine = readFileSync(SOMAXCONN, 'utf8')
    dir = newFolder()
    writeFileSync(join(dir, 'settings.yaml'), SETTINGS)
    buildPage()
    mesh = await LocalMesh.up({ nodes: 2, ownNetwork: true, flags: ['--settings', join(dir, 'settings.yaml')] })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh.stop()
    rmSync(dir, { recursive: true })
    expect(readFileSync(SOMAXCONN, 'utf8')).toBe(ofMachine)
  }, TURN_WITHIN_MS)

  const inside = (script: string) => {
    const [program, ...args] = inNamespace(['sh', '-c', script], mesh.pid)
    const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
    expect(status).toBe(0)
    return stdout.trim()
  }
  const valueInside = () => inside(`cat ${SOMAXCONN}`)
  /** Of both nodes. What other detectors find on this machine depends on what else it does. */
  const params = async () => (await mesh.state()).findings.filter(({ detector }) => detector === 'kernel-params')
  const allIsWell = async () => {
    const found = await params()
    return found.length === 2 && found.every(({ status }) => status === 'ok')
  }
  const latestOf = async (node: string) => (await mesh.state()).remediations.find(({ plan }) => plan.node === node)
  const untilPhase = (node: string, phase: Remediation['phase']) =>
    mesh.until(`a plan of ${node} is ${phase}`, async () => {
      const remediation = await latestOf(node)
      return remediation?.phase === phase && remediation
    })
  /** As somebody else, or something, does it. */
  const spoil = async () => {
    inside(`echo 128 > ${SOMAXCONN}`)
    const first = await untilPhase('node-1', 'awaiting-approval')
    const second = await untilPhase('node-2', 'awaiting-approval')
    // All nodes have it, which is no fault of the nodes: nothing is mended until somebody has looked.
    const release = ['remediations', 'release', '--fault', 'KernelParamDiffers', '--reason', 'they share a kernel']
    expect(await mesh.run(...release)).toMatchObject({ code: 0 })
    return { first, second }
  }
  const decisionsOf = async (planId: string) =>
    (await mesh.events()).filter(
      ({ kind, data }) => kind === 'decision' && (data.decision as { planId: string } | undefined)?.planId === planId,
    )

  it(
    'is found, shown with what would change, and mended once it is approved on the page',
    async () => {
      await mesh.until('all is well', allIsWell)
      const { first } = await spoil()
      // 3 where the machine has an alarm of its own, which is no matter of this test.
      expect([3, 4]).toContain((await mesh.run('findings')).code)
      expect(
        (await params())
          .filter(({ status }) => status === 'warn')
          .map(({ node, summary }) => [node, summary])
          .toSorted(),
      ).toEqual(['node-1', 'node-2'].map((node) => [node, 'net.core.somaxconn is 128, wanted 4096']))
      await withPage(mesh, async (page) => {
        const card = page.getByTestId(`approval-${first.plan.id}`)
        await card.getByText('net.core.somaxconn is 128, wanted 4096').waitFor()
        await card.locator('del', { hasText: /^128$/ }).waitFor()
        await card.locator('ins', { hasText: /^4096$/ }).waitFor()
        await card.getByText('sysctl -w net.core.somaxconn=128').waitFor()
        expect(valueInside()).toBe('128')
        await card.getByRole('button', { name: 'Approve sysctl on node-1' }).click()
        await page.locator(`[data-testid=remediation-${first.plan.id}][data-phase=verified]`).waitFor()
      })
      expect(valueInside()).toBe('4096')
      expect(await untilPhase('node-2', 'withdrawn')).toMatchObject({ why: 'the fault is gone' })
      await mesh.until('nothing is found any more', allIsWell)
      expect(await decisionsOf(first.plan.id)).toMatchObject([{ summary: 'approved by local-token (page)' }])
      expect(readFileSync(SOMAXCONN, 'utf8')).toBe(ofMachine)
    },
    TEST_WITHIN_MS,
  )

  it('is explained as one chain, from what was found to what was verified', async () => {
    const { code, stdout } = await mesh.run('explain', 'node-1', '-o', 'json')
    expect(code).toBe(0)
    const [{ chains }] = (JSON.parse(stdout) as { items: [Explanation] }).items
    const chain = chains.find(({ events }) => events.some(({ kind }) => kind === 'plan'))?.events ?? []
    // That the finding is gone is seen by the look that verifies, so it may come before the word that it is verified.
    const steps = chain.filter(({ summary }) => !summary.startsWith('cleared'))
    expect(steps.map(({ kind, data }) => (kind === 'remediation' ? data.phase : kind))).toEqual([
      'finding',
      'plan',
      'decision',
      'permit',
      'permitted',
      'applying',
      'verifying',
      'verified',
    ])
    // Each because of the one before it.
    expect(steps.map(({ causedBy }) => causedBy)).toEqual(['', ...steps.slice(0, -1).map(({ id }) => id)])
    expect(chain.length).toBe(steps.length + 1)
    expect((await mesh.run('explain', 'node-1')).stdout).toMatch(
      /finding: .*\n.* └─ plan: .*\n.* └─ decision: .*\n.* └─ permit: .*\n.* └─ remediation: permitted: .*\n.* └─ remediation: applying: .*\n.* └─ remediation: verifying: .*\n(?:.*cleared: .*\n)?.* └─ remediation: verified: /,
    )
  })

  it(
    'is mended again on the command line, since a fault that comes back is a new one',
    async () => {
      const { second } = await spoil()
      const listed = await mesh.run('remediations', 'list')
      expect(listed.stdout).toMatch(
        new RegExp(`^${second.plan.id} .*awaiting-approval .*net\\.core\\.somaxconn: 128 → 4096`, 'm'),
      )
      const approved = await mesh.run('remediations', 'approve', second.plan.id, '--reason', 'load is coming')
      expect(approved).toMatchObject({ code: 0, stdout: 'approved by local-token (cli): load is coming\n' })
      expect(approved.stderr).toContain('net.core.somaxconn: 128 → 4096 (undo: sysctl -w net.core.somaxconn=128)')
      await untilPhase('node-2', 'verified')
      expect(valueInside()).toBe('4096')
      await untilPhase('node-1', 'withdrawn')
      const again = await mesh.run('remediations', 'approve', second.plan.id)
      expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('waits for no decision: it is verified') })
    },
    TEST_WITHIN_MS,
  )

  it(
    'is left alone when the plan is rejected, with the reason on record',
    async () => {
      const { first } = await spoil()
      expect(await mesh.run('remediations', 'reject', first.plan.id)).toMatchObject({ code: 2 })
      expect((await latestOf('node-1'))?.phase).toBe('awaiting-approval')
      expect(await mesh.run('remediations', 'reject', first.plan.id, '--reason', 'not today')).toMatchObject({
        code: 0,
      })
      const rejected = await untilPhase('node-1', 'rejected')
      expect(rejected.why).toBe('rejected by local-token via cli: not today')
      expect(valueInside()).toBe('128')
      expect((await decisionsOf(first.plan.id)).at(-1)?.summary).toBe('rejected by local-token (cli): not today')
      expect(await mesh.run('remediations', 'approve', 'fix-of-nobody')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('fix-of-nobody'),
      })
      expect(valueInside()).toBe('128')
      expect(readFileSync(SOMAXCONN, 'utf8')).toBe(ofMachine)
    },
    TEST_WITHIN_MS,
  )
})
