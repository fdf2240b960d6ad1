/** Plugins of Debian's monitoring-plugins-basic, run unchanged on this machine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { createHost } from '../../detectors/host/host.ts'
import { readPluginManifest } from '../../detectors/manifests/manifest.ts'
import { describeReal, needsLinux, needsProgram } from '../real-part.ts'

const FOLDER = '/usr/lib/nagios/plugins'

/** What they look at, and run themselves, each as narrowly as it works. */
const TOUCHES: Readonly<Record<string, object>> = {
  check_load: { paths: ['/proc/loadavg', '/proc/uptime'], commands: ['/usr/bin/uptime'] },
  check_procs: { paths: ['/proc/**'], commands: ['/bin/ps'] },
  check_disk: { paths: ['/etc/mtab', '/proc/self/mounts', `${tmpdir()}/**`] },
  check_ntp_time: { paths: [] },
}

async function look(plugin: string, ...args: readonly string[]) {
  const detector = readPluginManifest(
    `{name: p, version: '1', summary: P., dialect: nagios, command: ${JSON.stringify([`${FOLDER}/${plugin}`, ...args])},
      touches: ${JSON.stringify(TOUCHES[plugin])},
      states: {warning: Warned, critical: Critical}, reasons: {Warned: {severity: warn, summary: W., runbook: look},
      Critical: {severity: alarm, summary: C., runbook: look, supersedes: Warned}}}`,
    'p.yaml',
  )
  const host = guardedHost(createHost({ node: 'node-7', peerOffsets: () => [] }), detector.touches)
  const sample = await detector.sample(host, detector.options.parse({}), AbortSignal.timeout(20_000))
  return detector.judge(sample, {}, [])
}

const reasonsOf = async (plugin: string, ...args: readonly string[]) =>
  (await look(plugin, ...args)).map(({ reason }) => reason)

describeReal('plugins of Debian', needsLinux() ?? needsProgram('sh', `${FOLDER}/check_load`), () => {
  it('say that all is well, that it is worse, and that it is bad', async () => {
    expect(await reasonsOf('check_procs', '-w', '1:1000000')).toEqual([])
    expect(await reasonsOf('check_procs', '-w', '0:0', '-c', '1:1000000')).toEqual(['Warned'])
    expect(await reasonsOf('check_procs', '-c', '0:0')).toEqual(['Warned', 'Critical'])
  })

  it('give their figures with the thresholds that they were held against', async () => {
    const [load] = await look('check_load', '-w', '0,0,0', '-c', '10000,10000,10000')
    expect(load?.summary).toMatch(/LOAD WARNING - .*load average: \d/)
    expect(load?.evidence).toContainEqual(
      expect.objectContaining({ name: 'load1', value: expect.any(Number), limit: 0 }),
    )
    const folder = await mkdtemp(join(tmpdir(), 'starling-disk-'))
    const [disk] = await look('check_disk', '-w', '100%', '-c', '0%', '-p', folder)
    await rm(folder, { recursive: true })
    expect(disk?.summary).toMatch(/^DISK WARNING - free space: /)
    expect(disk?.evidence[1]).toMatchObject({ value: expect.any(Number), limit: expect.any(Number), unit: 'B' })
  })

  it('make it unknown when they were called wrongly', async () => {
    await expect(look('check_load', '-w', 'much')).rejects.toThrow(`${FOLDER}/check_load: it exited with 3`)
    await expect(look('check_ntp_time', '-H', '')).rejects.toThrow(`${FOLDER}/check_ntp_time: it exited with 3`)
  })
})
