/** A value on a host that is set back each time it is mended: by the running engine, over a restart. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createHost } from '../../detectors/host/host.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { type RemediationRoom, startRemediation } from '../../remediators/run.ts'
import { decisionFor, differs, NODE, ok, permitFor, sysctl, TRAITS } from './parts.ts'

let folder: string
let room: RemediationRoom | undefined
const said: Remediation[] = []
const told: (readonly string[])[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starling-contests-'))
  await mkdir(join(folder, 'host/proc/sys/vm'), { recursive: true })
})
afterEach(async () => {
  await room?.stop()
  await rm(folder, { recursive: true })
})

const path = () => join(folder, 'host/proc/sys/vm/swappiness')
const isMended = async () => (await readFile(path(), 'utf8')).trim() === '10'

/** With a leader that permits everything at once. */
async function start(): Promise<RemediationRoom> {
  const root = join(folder, 'host')
  const started: RemediationRoom = await startRemediation({
    node: NODE,
    stateDir: join(folder, 'state'),
    host: createHost({ node: NODE, root, peerOffsets: () => [] }),
    root,
    remediators: [sysctl],
    settings: { traits: TRAITS, policies: [], remediators: { sysctl: { mode: 'approve' } } },
    verify: async () => [(await isMended()) ? ok : differs()],
    announce: (remediation) => said.push(remediation),
    onContests: (contests) => told.push(contests.map(({ what }) => what)),
    ask: ({ planId, nonce }) => {
      const plan = started.list().find((one) => one.plan.id === planId)?.plan
      if (plan !== undefined) void started.onPermit(permitFor(plan, { id: `permit-${said.length}`, nonce }))
    },
    around: () => ({ isLed: true, neighbours: undefined }),
  })
  room = started
  return started
}

it('leaves it alone after the second time, and says so for as long as the fault lasts', async () => {
  const first = await start()
  const report = async (of: RemediationRoom) => {
    await of.onReport({ detector: 'kernel-params', findings: [(await isMended()) ? ok : differs()] })
    return said.at(-1)
  }
  for (const id of ['decision-1', 'decision-2', 'decision-3']) {
    await writeFile(path(), '60\n')
    const last = await report(first)
    if (last === undefined) throw new Error('nothing was said')
    const { accepted } = await first.onDecision(decisionFor(last.plan, { id }))
    expect([id, accepted]).toEqual([id, id !== 'decision-3'])
    if (!accepted) break
    await vi.waitFor(() => expect(said.at(-1)?.phase).toBe('verified'), { timeout: 20_000 })
    await report(first)
  }
  expect(said.at(-1)).toMatchObject({ phase: 'refused', ended: true, why: expect.stringMatching(/^contested: /) })
  expect(await isMended()).toBe(false)
  await first.stop()
  const second = await start()
  await report(second)
  await writeFile(path(), '10\n')
  await report(second)
  expect(told).toEqual([[], ['vm.swappiness'], ['vm.swappiness'], []])
})
