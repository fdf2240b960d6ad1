/** From what real agents find on their host to a real Alertmanager, and back when it is mended. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { IncidentView, SilenceView } from '../../aggregator/alerting/views.ts'
import { Alertmanager, needsAlertmanager } from '../alertmanager.ts'
import { LocalMesh, newFolder } from '../e2e/local-mesh.ts'
import { TURN_WITHIN_MS } from '../e2e/machine-turn.ts'
import { DEADLINE_MS } from '../e2e/starling.ts'
import { describeReal } from '../real-part.ts'
import { Recorder } from './recorder.ts'

const NODES = ['node-1', 'node-2', 'node-3']
const RULE = 'avg(conntrack) over 1m > 50 on role=compute'

const SETTINGS = `
version: 1
mesh: local
detectors: {conntrack: {every: 1s}}
alerting:
  rules:
    - {name: tables, findings: {reasons: [ConntrackAlmostFull]}}
    - {name: table-share, when: ${RULE}, severity: warn}
  routes:
    - {match: {rules: [tables, table-share]}, sinks: [am]}
    - {match: {rules: [tables], selector: {nodes: [node-2]}}, sinks: [owner], language: zh, zone: Asia/Shanghai}
`

describeReal('alerts of running agents', needsAlertmanager(), () => {
  let dir: string
  let alertmanager: Alertmanager
  let recorder: Recorder
  let mesh: LocalMesh
  beforeAll(async () => {
    dir = newFolder()
    alertmanager = await Alertmanager.start()
    recorder = await Recorder.start()
    // From the start, so that the minute of the measure begins at once.
    fill(990)
    const sinks = `sinks:\n  am: {kind: alertmanager, url: ${alertmanager.url}}\n  owner: {kind: slack, url: ${recorder.url}/owner}\n`
    writeFileSync(join(dir, 'aggregator.yaml'), sinks)
    writeFileSync(join(dir, 'settings.yaml'), SETTINGS)
    const files = ['--settings', join(dir, 'settings.yaml'), '--aggregator', join(dir, 'aggregator.yaml')]
    mesh = await LocalMesh.up({ nodes: NODES.length, flags: ['--host-root', join(dir, 'root'), ...files] })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh?.stop()
    await Promise.all([alertmanager?.stop(), recorder?.stop()])
    rmSync(dir, { recursive: true })
  }, TURN_WITHIN_MS)

  /** The table of the host that all of them read, of 1,000 entries. */
  const fill = (count: number) => {
    const folder = join(dir, 'root/proc/sys/net/netfilter')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'nf_conntrack_max'), '1000\n')
    writeFileSync(join(folder, 'nf_conntrack_count'), `${count}\n`)
  }
  const items = async <T>(...args: readonly string[]): Promise<readonly T[]> => {
    const { code, stdout, stderr } = await mesh.run(...args, '-o', 'json')
    if (code !== 0) throw new Error(stderr)
    return (JSON.parse(stdout) as { items: readonly T[] }).items
  }
  const incident = async (reason: string) => (await items<IncidentView>('alerts')).find((one) => one.reason === reason)
  const alertOf = (name: string, ...args: readonly string[]) => {
    const all = JSON.parse(alertmanager.tool('alert', 'query', `alertname=${name}`, '--output=json', ...args))
    return (all as { labels: Record<string, string>; annotations: Record<string, string> }[])[0]
  }

  it(
    'a fault of the host is one incident of its nodes at Alertmanager, silenced and resolved; so is a measure',
    async () => {
      const alert = await mesh.until('amtool shows it', () => alertOf('ConntrackAlmostFull'))
      const found = await mesh.until('it is an incident', () => incident('ConntrackAlmostFull'))
      expect(alert.labels).toEqual({
        alertname: 'ConntrackAlmostFull',
        mesh: 'local',
        severity: 'alarm',
        starling_incident: found.id,
      })
      const whole = await mesh.until('all nodes belong to it', async () => {
        const one = await incident('ConntrackAlmostFull')
        return one?.count === NODES.length && one
      })
      expect(whole).toMatchObject({ id: found.id, state: 'firing' })
      expect(whole.children.map(({ node, severity }) => [node, severity])).toEqual(NODES.map((node) => [node, 'alarm']))
      // The owner of one node is told of this one, as it is written there.
      const { text } = (await recorder.until('/owner', 1)).body
      expect(text).toMatch(/^\*\[触发\] 告警: 节点 node-2 出现 ConntrackAlmostFull \(local\)\*/)
      expect(text).toMatch(/开始时间: \d{4}-\d\d-\d\d \d\d:\d\d \+08:00/)

      const add = ['silence', 'add', '--fault', 'ConntrackAlmostFull', '--for', '2h', '--reason', 'a load test']
      expect((await mesh.run(...add)).code).toBe(0)
      const [silence] = await items<SilenceView>('silence', 'list')
      expect(silence).toMatchObject({ author: 'local-token', reason: 'a load test', matches: 1 })
      expect(Date.parse(silence?.until ?? '') - Date.parse(silence?.from ?? '')).toBe(7_200_000)
      expect(await incident('ConntrackAlmostFull')).toMatchObject({ state: 'silenced', silencedBy: [silence?.id] })

      const share = await mesh.until('the rule over the measure fires', () => alertOf('table-share'))
      expect(share.labels).toMatchObject({ alertname: 'table-share', mesh: 'local', severity: 'warn' })
      expect(share.annotations.description).toContain(`by ${RULE}`)

      // Whoever was told before the silence is told that it is over.
      fill(10)
      await mesh.until('it is over here', async () => (await incident('ConntrackAlmostFull')) === undefined)
      await mesh.until('and at Alertmanager', () => alertOf('ConntrackAlmostFull') === undefined)
      await mesh.until('and for its owner', () => String(recorder.at('/owner').at(-1)?.body.text).startsWith('*[恢复]'))
    },
    2 * DEADLINE_MS,
  )
})
