/**
 * Remediations as objects of a real API server: a real fault on a node, looked at and decided on with kubectl, by somebody
 * who has just the role that we ship for it.
 */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RemediationObject } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { describeReal } from '../real-part.ts'
import { theStage, WITHIN_MS } from './stage.ts'

const runFile = promisify(execFile)

/** Each network namespace has one of its own. */
const PARAMETER = 'net.core.somaxconn'
const [WANTED, SPOILT] = ['4096', '128']
const NODE = 'node-3'
const GROUP = 'on-call'

const LOOK = {
  detectors: { 'kernel-params': { every: '1s', options: { wanted: { [PARAMETER]: Number(WANTED) } } } },
  remediators: { sysctl: { mode: 'approve' } },
  guards: { coolDown: '0s' },
}
const QUIET = { detectors: {}, remediators: {}, guards: {}, approvals: {} }

describeReal('remediations as objects', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let name: string
  beforeAll(async () => {
    stage = await theStage()
    await putInForce(stage, LOOK)
    await kubectl('create', 'clusterrolebinding', GROUP, '--clusterrole=starling-decide', `--group=${GROUP}`)
  }, WITHIN_MS)
  afterAll(async () => {
    set(WANTED)
    await putInForce(stage, QUIET)
    await kubectl('delete', 'clusterrolebinding', GROUP)
    await kubectl('delete', 'remediations', '--all')
  }, WITHIN_MS)

  const kubectl = async (...args: readonly string[]) => {
    const config = `--kubeconfig=${stage.plane.kubeconfigOutside()}`
    return (await runFile('kubectl', [config, `--cache-dir=${stage.network.dir}/kubectl`, ...args])).stdout
  }
  const asOnCall = (...args: readonly string[]) => kubectl('--as=person', `--as-group=${GROUP}`, ...args)
  const inside = (script: string) => {
    const [program = '', ...args] = [...stage.network.on(NODE), 'sh', '-c', script]
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    expect(`${status} ${stderr}`).toBe('0 ')
    return stdout.trim()
  }
  const set = (value: string) => inside(`echo ${value} > /proc/sys/net/core/somaxconn`)
  const value = () => inside('cat /proc/sys/net/core/somaxconn')
  const object = async (of = name) =>
    JSON.parse(await asOnCall('get', 'remediation', of, '-o', 'json')) as RemediationObject
  /** As a person patches it: with what was looked at. */
  const decide = async (action: string, proposal = '', spec: object = {}) => {
    const named = proposal === '' ? (await object()).spec?.proposal : proposal
    const decision = { action, proposal: named, reason: 'as the runbook says' }
    return await asOnCall('patch', 'rem', name, '--type=merge', '-p', JSON.stringify({ spec: { ...spec, decision } }))
  }
  const until = <T>(what: string, look: () => Promise<T | false | undefined>) => stage.cluster.until(what, look)
  const untilPhase = (phase: string) =>
    until(`an object in phase ${phase}`, async () => {
      const all = JSON.parse(await kubectl('get', 'rem', '-l', `starling.mesh/node=${NODE}`, '-o', 'json'))
      return (all.items as RemediationObject[]).find(({ status }) => status?.phase === phase)
    })
  /** The decision was taken off, and the object says this of it. */
  const untilAnswered = (status: string, reason: string) =>
    until(`the answer ${reason}`, async () => {
      const { spec, status: { conditions = [] } = {} } = await object()
      const answer = conditions.find(({ type }) => type === 'DecisionTaken')
      return spec?.decision === undefined && answer?.status === status && answer.reason === reason && answer
    })
  const decisions = async () => {
    const events = await stage.mesh.client.events({ node: NODE, kinds: ['decision'], limit: 200 })
    return events.map(({ summary }) => summary)
  }

  it(
    'show what waits for a person, and decide nothing while settings do not say so',
    async () => {
      set(SPOILT)
      const { metadata, spec, status } = await untilPhase('awaiting-approval')
      name = metadata.name
      expect(spec).toMatchObject({ nodeName: NODE, remediator: 'sysctl', reason: 'KernelParamDiffers', risk: 'low' })
      expect(status?.plan).toMatchObject([{ what: PARAMETER, before: SPOILT, after: WANTED }])
      const [head, row] = (await kubectl('get', 'remediations')).split('\n').map((line) => line.split(/ +/))
      expect(head).toEqual(['NAME', 'NODE', 'REMEDIATOR', 'PHASE', 'MODE', 'AGE'])
      expect(row).toEqual([name, NODE, 'sysctl', 'awaiting-approval', 'approve', expect.stringMatching(/^\d+m?s$/)])
      expect(await kubectl('get', 'rem', name, '-o', 'wide')).toMatch(/KernelParamDiffers +low +waiting for approval/)

      await decide('Approve')
      await untilAnswered('False', 'SwitchedOff')
      expect(value()).toBe(SPOILT)
      await putInForce(stage, { ...LOOK, approvals: { byObject: true } })
    },
    WITHIN_MS,
  )

  it(
    'that are altered, forged or deleted decide nothing, and are put right',
    async () => {
      const before = await object()
      await decide('Approve', '0'.repeat(32))
      await untilAnswered('False', 'AnotherProposal')
      await kubectl('label', 'rem', name, 'team=storage', 'starling.mesh/node-')
      await decide('Approve', before.spec?.proposal, { cause: 'nothing of note', planHash: '0'.repeat(64) })
      await untilAnswered('False', 'Altered')
      const after = await object()
      expect(after.spec).toEqual(before.spec)
      expect(after.metadata.labels).toEqual({ ...before.metadata.labels, team: 'storage' })

      await kubectl('delete', 'rem', name)
      const again = await until('the object is back', () => object().catch(() => undefined))
      expect(again.metadata.uid).not.toBe(before.metadata.uid)

      const { proposal } = before.spec ?? {}
      const forged = { ...before.spec, decision: { action: 'Approve', proposal } }
      await stage.plane.admin.create('/apis/starling.mesh/v1alpha1/remediations', {
        ...{
          apiVersion: 'starling.mesh/v1alpha1',
          kind: 'Remediation',
          metadata: { name: 'fix-forged' },
          spec: forged,
        },
      })
      await until('the forged object is told apart', async () => {
        const { spec, status } = await object('fix-forged')
        return spec?.decision === undefined && status?.phase === 'unknown' && status.conditions
      })
      await expect(decide('approve')).rejects.toThrow('Unsupported value')
      expect(value()).toBe(SPOILT)
      expect(await decisions()).toEqual([])
    },
    WITHIN_MS,
  )

  it(
    'are approved by who may patch them, once',
    async () => {
      const may = (...args: readonly string[]) =>
        asOnCall('auth', 'can-i', ...args).then(
          (said) => said.trim(),
          () => 'no',
        )
      expect(await may('patch', 'remediations')).toBe('yes')
      expect(await may('patch', 'remediations', '--subresource=status')).toBe('no')
      expect(await may('create', 'remediations')).toBe('no')
      await untilPhase('awaiting-approval')
      await decide('Approve')
      await untilAnswered('True', 'Approved')
      await kubectl('wait', 'rem', name, '--for=condition=Ended', '--timeout=60s')
      expect((await object()).status?.phase).toBe('verified')
      expect(value()).toBe(WANTED)
      const approved = `approved by kubernetes:remediation/${name} (kubernetes): as the runbook says`
      expect(await decisions()).toEqual([approved])

      // The same plan for the same fault: what was approved then is no word on it.
      const { proposal } = (await object()).spec ?? {}
      set(SPOILT)
      await untilPhase('awaiting-approval')
      await decide('Approve', proposal)
      await untilAnswered('False', 'AnotherProposal')
      expect(value()).toBe(SPOILT)
    },
    WITHIN_MS,
  )

  it(
    'see what was decided elsewhere, which wins',
    async () => {
      const { proposal } = (await object()).spec ?? {}
      await stage.mesh.client.decide({ planId: name, action: 'reject', reason: 'on purpose', via: 'cli' })
      await untilPhase('rejected')
      await decide('Approve', proposal)
      const { message } = await untilAnswered('False', 'NotTaken')
      expect(message).toContain('it is rejected')
      expect(value()).toBe(SPOILT)
    },
    WITHIN_MS,
  )
})
