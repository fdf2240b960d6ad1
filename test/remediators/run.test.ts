import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StarlingError, UsageError } from '../../common/errors.ts'
import type { Finding } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import type { Remediation } from '../../remediators/contract.ts'
import {
  type RemediationInit,
  type RemediationRoom,
  type RuleSettings,
  startRemediation,
} from '../../remediators/run.ts'
import { decisionFor, differs, NODE, ok, permitFor, policyFor, sysctl, TRAITS } from './parts.ts'

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

  it.each([
    ['cut off', (text: string) => text.slice(0, -10)],
    ['changed in a plan', (text: string) => text.replaceAll('"after":"10"', '"after":"99"')],
    ['of another format', (text: string) => text.replace('"format":2', '"format":1')],
  ])('does not start from a state that is %s', async (_, damage) => {
    const room = await start()
    await room.onReport(report(differs()))
    await room.stop()
    await writeFile(stateFile(), damage(await readFile(stateFile(), 'utf8')))
    const error = await start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StarlingError)
    expect((error as StarlingError).message).toContain(`${stateFile()} is damaged`)
    expect((error as StarlingError).remedy).toContain('delete the file')
  })
})
