/** A whole mesh whose agents may change nothing: what is mended is mended by the fixer of each node, or not at all. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { missingForNamespaces } from '../../bench/namespaces/namespace.ts'
import { SOURCE } from '../../bench/program.ts'
import { fixerHands } from '../../fixer/hands.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { BEGIN_WITHIN_MS, type Permit } from '../../remediators/permits.ts'
import { describeReal, needsAnotherUser } from '../real-part.ts'
import { permitFor } from '../remediators/parts.ts'
import { FixerMesh } from './fixer-mesh.ts'

/** Five waits, each with its own generous deadline. */
const WITHIN_MS = 600_000
const SOMAXCONN = '/proc/sys/net/core/somaxconn'
const LIMIT_MS = 20_000

const SETTINGS = `
version: 1
mesh: fixers
detectors: {kernel-params: {every: 5s, options: {wanted: {net.core.somaxconn: 4096}}}}
guards: {coolDown: 0s}
policies:
  - {name: asked, selector: {nodes: [node-1]}, match: [{reason: KernelParamDiffers}], mode: approve, ladder: [{remediator: sysctl}]}
  - {name: by-itself, selector: {nodes: [node-2]}, match: [{reason: KernelParamDiffers}], mode: auto, ladder: [{remediator: sysctl, attempts: 3}]}
  - {name: slowly, selector: {nodes: [node-3]}, match: [{reason: KernelParamDiffers}], mode: auto, ladder: [{remediator: slow}]}
`

/** Mends as sysctl does, but for as long as a file is there. It says when it begins. */
const slow = (dir: string) => `#!/bin/sh
if [ "$1" = state ]; then exec cat ${SOMAXCONN}; fi
if [ "$1" = 4096 ]; then
  echo begun >> ${dir}/begun
  while [ -e ${dir}/hold ]; do sleep 0.1; done
fi
echo "$1" > ${SOMAXCONN}
`

const slowManifest = (dir: string) => `
kind: remediator
name: slow
version: 1.0.0
summary: Mends a kernel parameter slowly.
handles: [KernelParamDiffers]
reach: none
risk: low
reversible: true
state: {command: [${dir}/plugins.d/slow.sh, state], wanted: '4096'}
apply: [${dir}/plugins.d/slow.sh, '4096']
revert: [${dir}/plugins.d/slow.sh, '128']
timeout: 5m
`

describeReal('agents without rights, and fixers', missingForNamespaces() ?? needsAnotherUser(SOURCE), () => {
  let mesh: FixerMesh
  /** Of the fixer of node-1, let lie from the beginning on. */
  let old: { readonly nonce: string; readonly atMs: number }
  beforeAll(async () => {
    const plugins = (dir: string) => ({ 'slow.sh': slow(dir), 'slow.yaml': slowManifest(dir) })
    mesh = await FixerMesh.start(3, SETTINGS, plugins)
    await mesh.startFixer('node-1', ['sysctl'])
    old = { nonce: await fixerHands(mesh.socketOf('node-1')).challenge(), atMs: performance.now() }
  }, WITHIN_MS)
  afterAll(() => mesh?.stop(), WITHIN_MS)

  const valueOn = async (node: string) => (await mesh.network.run(node, 'cat', SOMAXCONN)).trim()
  const set = (node: string, value: number) => mesh.network.run(node, 'sh', '-c', `echo ${value} > ${SOMAXCONN}`)
  const spoil = (node: string) => set(node, 128)
  /** By hand, so that what is planned is withdrawn. */
  const mend = async (node: string) => {
    await set(node, 4096)
    await mesh.until(`nothing is found on ${node}`, async () => {
      const { findings } = await mesh.client.state()
      return findings.some((one) => one.node === node && one.detector === 'kernel-params' && one.status === 'ok')
    })
  }
  const permitsOf = (node: string) => mesh.events(node, 'permit')

  it(
    'waits for hands while no fixer runs: said once, and neither is the leader asked nor is anything begun',
    async () => {
      await spoil('node-2')
      const refused = await mesh.untilPhase('node-2', 'refused')
      expect(refused.why).toMatch(/^no fixer answers at .*node-2-fixer/)
      expect(refused.ended).toBeUndefined()
      await mend('node-2')
      await mesh.untilPhase('node-2', 'withdrawn')
      expect(await mesh.phasesOf(refused)).toEqual(['proposed', 'refused', 'withdrawn'])
      expect(await permitsOf('node-2')).toEqual([])
    },
    WITHIN_MS,
  )

  it(
    'changes nothing by a remediator that is not on the list of its fixer, whatever the leader permits',
    async () => {
      await mesh.startFixer('node-2', ['disk-clean'])
      // Another value and so another plan: what was refused rests.
      await set('node-2', 64)
      const refused = await mesh.untilEnded('node-2', 'refused')
      expect(refused.why).toContain('sysctl is not among the remediators of the fixer')
      expect(await permitsOf('node-2')).toHaveLength(1)
      expect(await valueOn('node-2')).toBe('64')
      await mend('node-2')
    },
    WITHIN_MS,
  )

  it(
    'is mended by itself in mode auto, by the permit that the leader signed and the fixer checked',
    async () => {
      await mesh.startFixer('node-2', ['sysctl'])
      await spoil('node-2')
      const { plan } = await mesh.untilPhase('node-2', 'verified')
      expect(await valueOn('node-2')).toBe('4096')
      const permit = (await permitsOf('node-2')).at(-1)?.data.permit as Permit
      expect(mesh.askedOf('node-2').at(-1)).toMatchObject({ plan: plan.id, permit: permit.id, outcome: 'done' })
    },
    WITHIN_MS,
  )

  it(
    'is mended in mode approve once somebody has approved, by hands that the agent itself does not have',
    async () => {
      await spoil('node-1')
      const { plan } = await mesh.untilPhase('node-1', 'awaiting-approval')
      await mesh.client.decide({ planId: plan.id, action: 'approve', reason: '', via: 'cli' })
      await mesh.untilPhase('node-1', 'verified')
      expect(await valueOn('node-1')).toBe('4096')
      await expect(mesh.asAgent('node-1', 'sh', '-c', `echo 1 > ${SOMAXCONN}`)).rejects.toThrow('Permission denied')
    },
    WITHIN_MS,
  )

  it(
    'is put back when the fixer is killed in the middle, and never begun again',
    async () => {
      const [begun, hold] = ['begun', 'hold'].map((file) => join(mesh.network.dir, file)) as [string, string]
      // All nodes of the mesh had it by then, which would be no fault of any node's.
      const release = { reason: 'the tests before', via: 'cli' } as const
      await mesh.client.releaseRemediation({ kind: 'reason', name: 'KernelParamDiffers' }, release)
      writeFileSync(hold, '')
      await mesh.startFixer('node-3', ['slow'])
      await spoil('node-3')
      await mesh.until('the program that mends', () => existsSync(begun))
      await mesh.killFixer('node-3')
      const failed = await mesh.untilPhase('node-3', 'no-effect')
      expect(failed.why).toContain('the fault is still there')
      await mesh.startFixer('node-3', ['slow'])
      // One phase follows the other sooner than a busy machine looks.
      await mesh.until('the end', async () => (await mesh.phasesOf(failed)).includes('escalated'))
      rmSync(hold)
      // What the killed one had started has no hands any more either.
      await mesh.until('no program that mends', async () => !(await mesh.runs('node-3', 'slow.sh')))
      expect(await valueOn('node-3')).toBe('128')
      expect(readFileSync(begun, 'utf8')).toBe('begun\n')
      const phases = await mesh.phasesOf(failed)
      // The leader may have said no before, as to one whose observers were late.
      expect(phases.slice(phases.indexOf('permitted'))).toEqual([
        ...['permitted', 'applying', 'verifying', 'no-effect', 'reverted', 'escalated'],
      ])
      expect(mesh.askedOf('node-3').map(({ msg, outcome }) => [msg, outcome])).toEqual([['asked to revert', 'done']])
    },
    WITHIN_MS,
  )

  it(
    'changes nothing by a permit that is forged, used, or older than it may be, at the socket as it is',
    async () => {
      const hands = fixerHands(mesh.socketOf('node-1'))
      const { plan } = (await mesh.latest('node-1')) as Remediation
      const applyBy = async (nonce: string, ...signing: [signer: string, by?: string]) => {
        const permit = permitFor(plan, { id: `permit-${nonce}`, nonce })
        hands.keep(permit.id, await mesh.signed(plan, permit, ...signing))
        await hands.apply(plan, permit, LIMIT_MS)
      }
      await spoil('node-1')
      const [by, first] = ['aggregator-1', await hands.challenge()]
      await expect(applyBy(first, 'node-1')).rejects.toThrow('node-1 is no aggregator')
      await expect(applyBy(first, by, 'node-1')).rejects.toThrow('not signed by aggregator-1')
      expect(await valueOn('node-1')).toBe('128')
      await applyBy(first, by)
      expect(await valueOn('node-1')).toBe('4096')
      await spoil('node-1')
      await expect(applyBy(first, by)).rejects.toThrow('it was used, or is old')
      await mesh.until('the permit is too old', () => performance.now() - old.atMs > BEGIN_WITHIN_MS)
      await expect(applyBy(old.nonce, by)).rejects.toThrow('too old')
      expect(await valueOn('node-1')).toBe('128')
    },
    WITHIN_MS,
  )
})
