import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS } from './starling.ts'

const HOST_DETECTORS = ['clock-skew', 'conntrack', 'disk-usage', 'kernel-params', 'kubelet-process']
/** Three times the longest look and the two seconds over which first looks are spread. */
const TEST_WITHIN_MS = 2 * DEADLINE_MS

/** Every second, so that what a test writes is soon seen. */
const SETTINGS = `
version: 1
mesh: local
detectors:
  conntrack: {every: 1s}
  kernel-params: {every: 1s}
  disk-usage: {every: 1s}
  clock-skew: {every: 1s}
  kubelet-process: {every: 1s}
remediators: {sysctl: {mode: approve}}
`

describe('a host of which nothing can be seen', () => {
  let dir: string
  let root: string
  let mesh: LocalMesh
  beforeAll(async () => {
    dir = newFolder()
    root = join(dir, 'root')
    mkdirSync(root)
    writeFileSync(join(dir, 'settings.yaml'), SETTINGS)
    const flags = ['--host-root', root, '--settings', join(dir, 'settings.yaml')]
    mesh = await LocalMesh.up({ nodes: 1, flags })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh.stop()
    rmSync(dir, { recursive: true })
  }, TURN_WITHIN_MS)

  const netfilter = (name: string) => join(root, 'proc/sys/net/netfilter', name)
  const write = (name: string, text: string) => {
    mkdirSync(netfilter('.'), { recursive: true })
    writeFileSync(netfilter(name), text)
  }
  const statusOf = async (detector: string) =>
    (await mesh.state()).findings.filter((finding) => finding.detector === detector).map(({ status }) => status)
  const untilStatus = (detector: string, status: string) =>
    mesh.until(`${detector} says ${status}`, async () => {
      const now = await statusOf(detector)
      return now.length > 0 && now.every((each) => each === status)
    })

  it(
    'is called not applicable, neither fine nor faulty',
    async () => {
      for (const detector of HOST_DETECTORS) await untilStatus(detector, 'not-applicable')
      const { stdout } = await mesh.run('findings', '-o', 'json')
      const shown = (JSON.parse(stdout) as { items: Finding[] }).items.map(({ detector }) => detector)
      // Detectors that look at more than files, as at the links to peers, may find something on a busy machine.
      expect(shown.filter((detector) => HOST_DETECTORS.includes(detector))).toEqual([])
      const { findings, remediations } = await mesh.state()
      const ofHost = findings.filter(({ detector }) => HOST_DETECTORS.includes(detector))
      expect(ofHost.map(({ status }) => status)).toEqual(HOST_DETECTORS.map(() => 'not-applicable'))
      expect(ofHost.find(({ detector }) => detector === 'conntrack')?.summary).toBe(
        '/proc/sys/net/netfilter/nf_conntrack_count does not exist on this host',
      )
      expect(remediations).toEqual([])
    },
    TEST_WITHIN_MS,
  )

  it(
    'is unknown where a file holds garbage, which is neither fine nor a reason to act',
    async () => {
      write('nf_conntrack_count', '10\n')
      write('nf_conntrack_max', 'gar\u0007bage\n')
      await untilStatus('conntrack', 'unknown')
      await untilStatus('kernel-params', 'unknown')
      const { findings, remediations } = await mesh.state()
      expect(findings.find(({ detector }) => detector === 'conntrack')).toMatchObject({
        reason: 'ProbeFailed',
        summary: expect.stringMatching(/nf_conntrack_max holds "gar.*bage", which is no whole number/),
      })
      expect(remediations).toEqual([])
      expect([3, 4]).toContain((await mesh.run('findings')).code)
      const events = await mesh.events()
      const kinds = events.map(({ kind, summary }) => [kind, summary])
      expect(kinds.filter(([kind]) => kind === 'plan')).toEqual([])
      expect(kinds).toContainEqual(['finding', expect.stringMatching(/^ProbeFailed \(unknown\): /)])
      // Never fine: there is an event only for what is not, and one for its end.
      const cleared = events.filter(({ summary }) => summary.startsWith('cleared')).map(({ data }) => data.detector)
      expect(HOST_DETECTORS.filter((detector) => cleared.includes(detector))).toEqual([])
    },
    TEST_WITHIN_MS,
  )

  it(
    'is found at fault once, though its agent is killed and started again',
    async () => {
      const findingNow = async () =>
        (await mesh.state()).findings.find(({ detector, status }) => detector === 'kernel-params' && status === 'warn')
      const heardAgain = (since: string) =>
        mesh.until('the finding is said again', async () => {
          const found = await findingNow()
          return found !== undefined && found.observedAt > since && found
        })
      write('nf_conntrack_max', '1000\n')
      const before = await mesh.until('the finding', findingNow)
      const kept = join(mesh.dir, 'node-1', 'detectors')
      await mesh.until('it is kept', () => existsSync(kept) && readFileSync(kept, 'utf8').includes(before.id))
      expect(await mesh.run('chaos', 'kill-agent', 'node-1')).toMatchObject({ code: 0 })
      // What an earlier look of the dead agent said is not counted.
      const killedAt = new Date().toISOString()
      expect(await mesh.run('chaos', 'resume', 'node-1')).toMatchObject({ code: 0 })
      const { id, since } = await heardAgain(killedAt)
      expect({ id, since }).toEqual({ id: before.id, since: before.since })
      const told = (await mesh.events()).filter(({ id: event }) => event.startsWith(`finding/${before.id}`))
      expect(told).toHaveLength(1)
    },
    TEST_WITHIN_MS,
  )

  it(
    'is mended, on approval, once it can be read and is wrong',
    async () => {
      // What sets it beside us can only be told by who runs: of a host that shows no process nothing is proposed.
      mkdirSync(join(root, 'proc/1'), { recursive: true })
      writeFileSync(join(root, 'proc/1/cmdline'), '/sbin/init\0')
      write('nf_conntrack_max', '1000\n')
      const waiting = await mesh.until('a plan', async () => (await mesh.state()).remediations.at(0))
      expect(waiting).toMatchObject({
        phase: 'awaiting-approval',
        plan: { changes: [{ what: 'net.netfilter.nf_conntrack_max', before: '1000', after: '131072' }] },
      })
      expect(readFileSync(netfilter('nf_conntrack_max'), 'utf8')).toBe('1000\n')
      expect(await mesh.run('remediations', 'approve', waiting.plan.id)).toMatchObject({ code: 0 })
      await mesh.until('it is verified', async () => (await mesh.state()).remediations[0]?.phase === 'verified')
      expect(readFileSync(netfilter('nf_conntrack_max'), 'utf8')).toBe('131072\n')
      await untilStatus('kernel-params', 'ok')
      await untilStatus('conntrack', 'ok')
    },
    TEST_WITHIN_MS,
  )
})
