/**
 * A real cadvisor, and a real kubelet's server with cadvisor's figures, with real control groups: what is fine, and then
 * stopped, frozen, wrong and gone.
 */
import { accessSync, constants } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { missingForNodes, programFile } from '../../bench/control-plane/programs.ts'
import { cadvisorFile } from '../../scripts/setup/kubernetes-cache.mjs'
import { describeReal, type Missing } from '../real-part.ts'
import { ControlGroups, needsControlGroups } from './control-groups.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'

const CADVISOR = 'http://127.0.0.1:8080'
const KUBELET = 'http://127.0.0.1:10255'
const UID = '3c9b2f6a-5d0e-4b7a-9f1e-0a4c6d2e8b11'
const WITHIN = { timeout: 25_000, interval: 100 }

function needsCadvisor(): Missing {
  const missing = needsControlGroups()
  if (missing !== undefined) return missing
  try {
    accessSync(cadvisorFile(), constants.X_OK)
    return undefined
  } catch {
    return `${cadvisorFile()}, which the set-up builds`
  }
}

let inside: Inside
let groups: ControlGroups
beforeEach(async () => {
  groups = new ControlGroups('starling-cadvisor')
  inside = await startInside(OWN_NETWORK)
  await inside.run('ip', 'link', 'set', 'lo', 'up')
  await inside.run('mount', '-t', 'tmpfs', '-o', 'size=250m', 'private', '/tmp')
})
afterEach(async () => {
  await inside.end()
  await groups.remove()
})

/** Starts it in a group and returns its number. */
const start = async (group: string, command: string) =>
  (await inside.run('sh', '-c', `${groups.within(group)}; ${command} > /tmp/log 2>&1 & echo $!`)).trim()

/** Two containers of one pod, as containerd makes them with the kubelet's cgroupfs driver. */
async function runPod(): Promise<string> {
  const pod = `${groups.top}/burstable/pod${UID}`
  for (const digit of ['a', 'b']) {
    groups.make(`${pod}/${digit.repeat(64)}`)
    await start(`${pod}/${digit.repeat(64)}`, 'sleep 1000')
  }
  return `${pod}/${'a'.repeat(64)}`
}

/** Memory that cannot be taken back, of this group. */
const fill = (group: string, file: string, mebibytes: number) =>
  inside.run('sh', '-c', `${groups.within(group)}; exec head -c ${mebibytes}M /dev/zero > /tmp/${file}`)

describeReal('a real cadvisor', needsCadvisor(), () => {
  const cadvisor = (extra: string) => `${cadvisorFile()} -port 8080 -raw_cgroup_prefix_whitelist ${groups.top} ${extra}`

  it('is found when its figures are wrong, and when they have stopped', async () => {
    const group = await runPod()
    const options = {
      sources: [{ kind: 'stand-alone', url: CADVISOR }],
      podRoots: [groups.top],
      staleAfterSeconds: 5,
      memoryTolerance: { ratio: 0.2, bytes: 8 * 1024 * 1024 },
    }
    const look = async () => found(await inside.look('cadvisor', options))
    expect((await look())[0]).toMatch(/^not-applicable: no cadvisor gives figures here/)
    // Its first look at each group is its last for an hour.
    await start('/', cadvisor('-housekeeping_interval 1h -max_housekeeping_interval 1h'))
    await vi.waitFor(async () => expect(await look()).toEqual([]), WITHIN)
    await fill(group, 'full', 64)
    expect(await look()).toEqual([`CadvisorDisagrees ${CADVISOR}/metrics`])
    await vi.waitFor(async () => expect(await look()).toEqual([`CadvisorStale ${CADVISOR}/metrics`]), WITHIN)
  })

  it('is found stopped, going on and gone', async () => {
    const process = async () => found(await inside.look('cadvisor-process', { signs: ['/'] }))
    const sources = [{ kind: 'stand-alone', url: CADVISOR, required: true }]
    const figures = async () => found(await inside.look('cadvisor', { sources, answerWithinSeconds: 1 }))
    expect(await process()).toEqual(['CadvisorProcessDown'])
    const id = await start('/', cadvisor(''))
    await vi.waitFor(async () => expect([await process(), await figures()]).toEqual([[], []]), WITHIN)
    await inside.run('kill', '-STOP', id)
    const both = [['CadvisorProcessDown'], [`CadvisorDown ${CADVISOR}/metrics`]]
    await vi.waitFor(async () => expect([await process(), await figures()]).toEqual(both), WITHIN)
    await inside.run('kill', '-CONT', id)
    await vi.waitFor(async () => expect([await process(), await figures()]).toEqual([[], []]), WITHIN)
    await inside.run('kill', '-KILL', id)
    await vi.waitFor(async () => expect([await process(), await figures()]).toEqual(both), WITHIN)
  })

  it('is found near the limit of its memory', async () => {
    const own = `${groups.top}/own`
    groups.make(own)
    groups.limitMemory(own, 256 * 1024 * 1024)
    const look = async () => found(await inside.look('cadvisor-cgroup-memory', { alarmRatio: 0.9 }))
    expect((await look())[0]).toBe('not-applicable: no stand-alone cadvisor runs here')
    await start(own, cadvisor(''))
    await vi.waitFor(async () => expect(await look()).toEqual([]), WITHIN)
    await fill(own, 'most', 200)
    await vi.waitFor(async () => expect(await look()).toEqual(['CadvisorMemoryHigh']), WITHIN)
    await fill(own, 'more', 28)
    expect(await look()).toEqual(['CadvisorMemoryHigh', 'CadvisorMemoryAlmostFull'])
    await inside.run('rm', '/tmp/most', '/tmp/more')
    await vi.waitFor(async () => expect(await look()).toEqual([]), WITHIN)
  })
})

describeReal("a real kubelet's figures", needsControlGroups() ?? missingForNodes(), () => {
  /** Nothing answers at its API server, so that it never gets its node: its summary fails, its metrics have no container. */
  const KUBECONFIG = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:1' } }],
    users: [{ name: 'none', user: {} }],
    contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
    'current-context': 'none',
  })

  it('are found failing, empty while a pod runs, and silent', async () => {
    const sources = [{ kind: 'kubelet', url: KUBELET }]
    const options = { sources, podRoots: [groups.top], answerWithinSeconds: 1 }
    const look = async () => found(await inside.look('cadvisor', options))
    await inside.run('sh', '-c', `echo '${KUBECONFIG}' > /tmp/kubeconfig`)
    const id = await start('/', `${programFile('kubemark')} --morph=kubelet --name=hollow --kubeconfig=/tmp/kubeconfig`)
    const failing = `CadvisorScrapeError ${KUBELET}/stats/summary`
    await vi.waitFor(async () => expect(await look()).toEqual([failing]), WITHIN)
    await runPod()
    expect(await look()).toEqual([`CadvisorEmpty ${KUBELET}/metrics/cadvisor`, failing])
    await inside.run('kill', '-STOP', id)
    const required = { ...options, sources: [{ ...sources[0], required: true }] }
    expect(found(await inside.look('cadvisor', required))).toEqual([`CadvisorDown ${KUBELET}/metrics/cadvisor`])
  })
})
