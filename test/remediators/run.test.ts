import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '../../common/errors.ts'
import type { Finding } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import type { Remediation } from '../../remediators/contract.ts'
import {
  type RemediationInit,
  type RemediationRoom,
  type RuleSettings,
  startRemediation,
} from '../../remediators/run.ts'
import { createFixStore, type FixStore } from '../../remediators/store.ts'
import { decisionFor, differs, looking, NODE, ok, permitFor, policyFor, sysctl, TRAITS } from './parts.ts'

describe('running fixes', () => {
  let folder: string
  let rooms: RemediationRoom[]
  let announced: Remediation[]
  let permits = 0

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starling-fixes-'))
    await mkdir(join(folder, 'host/proc/sys/vm'), { recursive: true })
    await writeFile(swappiness(), '60\n')
    rooms = []
    announced = []
  })
  afterEach(async () => {
    await Promise.all(rooms.map((room) => room.stop()))
    await rm(folder, { recursive: true })
  })

  const swappiness = () => join(folder, 'host/proc/sys/vm/swappiness')
  const stateFile = () => join(folder, 'state/fixes/state.json')
  const value = async () => (await readFile(swappiness(), 'utf8')).trim()
  const phases = () => announced.map(({ phase }) => phase)
  const report = (...findings: Finding[]) => ({ detector: 'kernel-params', findings })
  const settings = (remediators: unknown = { sysctl: { mode: 'approve' } }, parts: Partial<RuleSettings> = {}) => ({
    traits: TRAITS,
    policies: [],
    remediators,
    ...parts,
  })
  const automatic = () => settings({}, { policies: [policyFor()] })

  /** With a leader that permits everything at once. */
  async function start(parts: Partial<RemediationInit> = {}): Promise<RemediationRoom> {
    const room: RemediationRoom = await startRemediation({
      node: NODE,
      stateDir: join(folder, 'state'),
      host: createHost({ node: NODE, root: join(folder, 'host'), peerOffsets: () => [] }),
      root: join(folder, 'host'),
      remediators: [sysctl],
      settings: settings(),
      verify: async () => [(await value()) === '10' ? ok : differs()],
      announce: (remediation) => announced.push(remediation),
      ask: ({ planId, nonce }) => {
        const plan = room.list().find((one) => one.plan.id === planId)?.plan
        if (plan !== undefined) void room.onPermit(permitFor(plan, { id: `permit-${++permits}`, nonce }))
      },
      around: () => ({ isLed: true, neighbours: undefined }),
      ...parts,
    })
    rooms.push(room)
    return room
  }

  const planOf = (room: RemediationRoom) => {
    const plan = room.list().at(-1)?.plan
    if (plan === undefined) throw new Error('there is no plan')
    return plan
  }
  const approve = (room: RemediationRoom, parts = {}) => room.onDecision(decisionFor(planOf(room), parts))
  const ended = (phase: string) => vi.waitFor(() => expect(phases()).toContain(phase), { timeout: 20_000 })

  it('goes from a finding over a decision and a permit to a verified change', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    expect(await value()).toBe('60')
    expect(await approve(room)).toEqual({ accepted: true, why: 'recorded' })
    await ended('verified')
    expect(phases()).toEqual(['awaiting-approval', 'proposed', 'permitted', 'applying', 'verifying', 'verified'])
    expect(await value()).toBe('10')
    expect(room.list()).toEqual([announced.at(-1)])
  })

  it('needs nobody but the leader where the policy says auto', async () => {
    const room = await start({
      settings: automatic(),
      collect: async ({ id }) => `/var/lib/starling/diagnostics/${id}`,
    })
    await room.onReport(report(differs()))
    await ended('verified')
    expect(phases()).toEqual(['proposed', 'permitted', 'applying', 'verifying', 'verified'])
    expect(announced[2]?.why).toBe(
      `the leader permits it; diagnostics: /var/lib/starling/diagnostics/${planOf(room).id}`,
    )
  })

  it('leaves alone what somebody sets back twice, and says so for as long as it lasts, also after a restart', async () => {
    const told: (readonly string[])[] = []
    const onContests: RemediationInit['onContests'] = (contests) => told.push(contests.map(({ what }) => what))
    const room = await start({ onContests })
    for (const id of ['decision-1', 'decision-2']) {
      announced.length = 0
      await writeFile(swappiness(), '60\n')
      await room.onReport(report(differs()))
      await approve(room, { id })
      await ended('verified')
      await room.onReport(report(ok))
    }
    await writeFile(swappiness(), '60\n')
    await room.onReport(report(differs()))
    expect(announced.at(-1)).toMatchObject({
      phase: 'refused',
      ended: true,
      why: expect.stringMatching(/^contested: /),
    })
    expect(await approve(room, { id: 'decision-3' })).toMatchObject({ accepted: false })
    await room.stop()
    const again = await start({ onContests })
    await again.onReport(report(ok))
    expect(told).toEqual([[], ['vm.swappiness'], ['vm.swappiness'], []])
    expect(await value()).toBe('60')
  })

  it('begins also when diagnostics cannot be collected, and says so', async () => {
    const room = await start({ settings: automatic(), collect: () => Promise.reject(new Error('ENOSPC')) })
    await room.onReport(report(differs()))
    await ended('verified')
    expect(announced[2]?.why).toContain('diagnostics could not be collected: ENOSPC')
  })

  it('asks the leader, and does nothing without an answer', async () => {
    const asked: string[] = []
    const room = await start({ settings: automatic(), ask: ({ nonce }) => asked.push(nonce) })
    await room.onReport(report(differs()))
    expect(asked).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
    const forged = permitFor(planOf(room), { nonce: 'f'.repeat(32) })
    expect(await room.onPermit(forged)).toEqual({ accepted: false, why: 'it answers another request' })
    expect(await value()).toBe('60')
    const guards = [{ guard: 'pause', allowed: false, why: 'paused until noon' }]
    const refusal = { node: NODE, planId: planOf(room).id, nonce: asked[0] ?? '', guards, retryAfterMs: 60_000 }
    expect(await room.onRefusal(refusal)).toMatchObject({ accepted: true })
    expect(announced.at(-1)).toMatchObject({ phase: 'refused', guards, why: 'refused by pause: paused until noon' })
  })

  it('puts back what did not help, and tells a person that no rung is left', async () => {
    const room = await start({ verify: async () => [differs('vm.swappiness', '10', '5')] })
    await room.onReport(report(differs()))
    await approve(room)
    await ended('reverted')
    expect(await value()).toBe('60')
    await room.onReport(report(differs()))
    expect(announced.at(-1)).toMatchObject({ phase: 'escalated', why: expect.stringContaining('no rung is left') })
  })

  it('changes nothing when the host is not as planned', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    await writeFile(swappiness(), '33\n')
    await approve(room)
    await ended('refused')
    expect(announced.at(-1)?.why).toContain('vm.swappiness is 33, and the plan was made for 60')
    expect(await value()).toBe('33')
  })

  it('says what is to be done by hand when a value cannot be put back', async () => {
    const room = await start({
      verify: async () => {
        await rm(swappiness())
        return [differs()]
      },
    })
    await room.onReport(report(differs()))
    await approve(room)
    await ended('escalated')
    expect(announced.at(-2)?.why).toMatch(/does not exist.*By hand: sysctl -w vm\.swappiness=60/)
  })

  it('answers a decision that does not fit, and stays open to one that does', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    expect(await approve(room, { planHash: 'x' })).toEqual({
      accepted: false,
      why: 'it was given for a plan with other content',
    })
    expect(await approve(room)).toMatchObject({ accepted: true })
    await ended('verified')
    expect(await approve(room)).toEqual({ accepted: false, why: 'it has been used' })
  })

  it('does not act on an approval that it could not save', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    await rm(join(folder, 'state'), { recursive: true })
    const answer = await approve(room)
    expect(answer.accepted).toBe(false)
    expect(answer.why).toContain('it could not be recorded')
    expect(await value()).toBe('60')
    await mkdir(join(folder, 'state/fixes'), { recursive: true })
    expect(await approve(room)).toMatchObject({ accepted: true })
    await ended('verified')
  })

  it.each([
    ['that it was proposed', 'awaiting-approval', []],
    ['that the permit is used', 'permitted', ['awaiting-approval', 'proposed']],
    ['that it begins', 'applying', ['awaiting-approval', 'proposed', 'permitted']],
  ])('does nothing when it cannot be recorded %s', async (_, phase, said) => {
    const inner = createFixStore(join(folder, 'state'))
    let isFull = true
    const { promise: tried, resolve: attempted } = Promise.withResolvers<void>()
    const save: FixStore['save'] = async (state) => {
      if (isFull && state.fixes.some(({ remediation }) => remediation.phase === phase)) {
        attempted()
        throw new Error('ENOSPC: no space left on device')
      }
      await inner.save(state)
    }
    const room = await start({ store: { load: inner.load, save } })
    await room.onReport(report(differs()))
    if (said.length > 0) await approve(room)
    await tried
    expect(phases()).toEqual(said)
    expect(room.list().map((one) => one.phase)).toEqual(said.slice(-1))
    expect(await value()).toBe('60')
    isFull = false
    if (said.length > 0) return
    await room.onReport(report(differs()))
    expect(phases()).toEqual(['awaiting-approval'])
  })

  it('does not begin when recording it took longer than it had', async () => {
    const inner = createFixStore(join(folder, 'state'))
    let lateMs = 0
    const save: FixStore['save'] = async (state) => {
      if (state.fixes.some(({ remediation }) => remediation.phase === 'applying')) lateMs = 31_000
      await inner.save(state)
    }
    const now = () => ({ ms: performance.now() + lateMs, wall: new Date().toISOString() })
    const room = await start({ store: { load: inner.load, save }, now })
    await room.onReport(report(differs()))
    await approve(room)
    await vi.waitFor(() => expect(announced.at(-1)?.why).toContain('nothing was begun'), { timeout: 20_000 })
    expect(phases()).toEqual(['awaiting-approval', 'proposed', 'permitted', 'applying', 'proposed'])
    expect(announced.at(-1)).toMatchObject({ permitId: expect.stringContaining('permit-') })
    expect(await value()).toBe('60')
  })

  it('gives its hands as long as the policy says, and puts back what took longer', async () => {
    const limits: number[] = []
    const ladder = [{ remediator: 'sysctl', attempts: 1, timeout: '2m' }] as const
    await start({
      settings: settings({}, { policies: [policyFor({ ladder })] }),
      hands: {
        challenge: async () => '0'.repeat(32),
        apply: async (_, permit, limitMs) => {
          expect(permit?.id).toContain('permit-')
          limits.push(limitMs)
          throw new Error('no end within 2m')
        },
        revert: async (_, limitMs) => void limits.push(limitMs),
      },
    }).then((room) => room.onReport(report(differs())))
    await ended('reverted')
    expect(limits).toEqual([120_000, 120_000])
    expect(announced.at(-1)?.why).toBe('no end within 2m; everything was put back')
  })

  it('looks at the host first, with what its remediator may see', async () => {
    const room = await start({
      remediators: [{ ...looking, inspect: async (host) => void (await host.readText('/etc/shadow')) }],
      settings: settings({ looking: { mode: 'approve' } }),
    })
    await room.onReport(report(differs()))
    await room.stop()
    expect(room.list()).toEqual([])
    const other = await start({ remediators: [looking], settings: settings({ looking: { mode: 'approve' } }) })
    await other.onReport(report(differs()))
    await ended('awaiting-approval')
  })

  it('waits for the change in progress when it stops, and looks into it when it starts again', async () => {
    const { promise: looking, resolve: look } = Promise.withResolvers<void>()
    const { promise: answer, resolve: give } = Promise.withResolvers<readonly Finding[]>()
    const room = await start({
      verify: () => {
        look()
        return answer
      },
    })
    await room.onReport(report(differs()))
    await approve(room)
    await looking
    const stopping = room.stop()
    give([])
    await stopping
    expect(phases().at(-1)).toBe('verifying')
    await start()
    await ended('verified')
    expect(phases().filter((phase) => phase === 'applying')).toHaveLength(1)
  })

  it('begins nothing once it has been told to stop', async () => {
    let stopping: Promise<void> | undefined
    const room = await start({
      announce: (remediation) => {
        announced.push(remediation)
        if (remediation.phase === 'applying') stopping = room.stop()
      },
    })
    await room.onReport(report(differs()))
    await approve(room)
    await vi.waitFor(() => expect(stopping).toBeDefined(), { timeout: 20_000 })
    await stopping
    expect(phases().at(-1)).toBe('applying')
    expect(await value()).toBe('60')
    await start()
    await ended('reverted')
    expect(await value()).toBe('60')
  })

  it('takes nothing in once it has stopped', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    await room.stop()
    expect(await approve(room)).toEqual({ accepted: false, why: 'the agent is stopping' })
    await room.onReport(report(ok))
    expect(phases()).toEqual(['awaiting-approval'])
  })

  it('keeps plans over a restart, in a file that only its owner can read', async () => {
    const room = await start()
    await room.onReport(report(differs()))
    await room.stop()
    expect(await readdir(join(folder, 'state/fixes'))).toEqual(['state.json'])
    expect((await stat(stateFile())).mode & 0o777).toBe(0o600)
    expect((await start()).list()).toEqual(room.list())
  })

  it('goes on when an announcement is not taken', async () => {
    const room = await start({
      announce: (remediation) => {
        announced.push(remediation)
        throw new Error('full')
      },
    })
    await room.onReport(report(differs()))
    await approve(room)
    await ended('verified')
  })

  it('follows new settings, and keeps the old ones when they are not valid', async () => {
    const room = await start()
    expect(() => room.reconfigure(settings({ sysctl: { mode: 'always' } }))).toThrow(UsageError)
    await room.onReport(report(differs()))
    room.reconfigure(settings({ sysctl: { mode: 'observe' } }))
    await room.onReport(report(differs()))
    expect(phases()).toEqual(['awaiting-approval', 'proposed'])
    expect(await approve(room)).toEqual({ accepted: false, why: 'its rule is in mode observe' })
  })

  it('does not start on settings that are not valid, or on a folder that it cannot write', async () => {
    await expect(start({ settings: settings({ sysctl: { mode: 'always' } }) })).rejects.toThrow(UsageError)
    await writeFile(join(folder, 'file'), '')
    await expect(start({ stateDir: join(folder, 'file') })).rejects.toThrow()
  })
})
