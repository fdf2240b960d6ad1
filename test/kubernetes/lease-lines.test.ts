/** Marking and election of one aggregator against a server of its own: the Lease waits for nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { LEASE_NAME } from '../../aggregator/kubernetes/lease.ts'
import { connectMarking, type KubernetesInit } from '../../aggregator/kubernetes/run.ts'
import { silentLog } from '../../common/log.ts'
import { readMarking } from '../../settings/marking.ts'
import { PATIENCE } from '../mesh/sockets.ts'

/** More than one client sends at once. */
const READS = 50

test('the Lease is asked for while reads of many Nodes hang', async () => {
  let hanging = 0
  let over = 0
  let hangingThen: number | undefined
  const server = createServer(({ url = '' }, response) => {
    if (url === '/apis/coordination.k8s.io') return void response.end('{"preferredVersion":{"version":"v1"}}')
    if (url.endsWith(`/${LEASE_NAME}`)) hangingThen ??= over === 0 ? hanging : 0
    else {
      hanging++
      response.once('close', () => over++)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'starling-run-'))
  const kubeconfig = join(folder, 'config')
  const clusters = [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }]
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const config = { clusters, users: [{ name: 'u', user: {} }], contexts, 'current-context': 'x' }
  writeFileSync(kubeconfig, JSON.stringify(config))

  const marking = await connectMarking({
    access: { kubeconfig },
    story: {} as KubernetesInit['story'],
    metrics: { mark: () => {}, apiWrite: () => {} },
    log: silentLog,
    marking: () => readMarking(),
    findingsOf: () => [],
    verdictOf: () => undefined,
  })
  const reads = Array.from({ length: READS }, (_, n) => marking.heartbeats(`node-${n}`, 1_000).catch(() => undefined))
  await vi.waitFor(() => expect(hanging).toBeGreaterThan(0), PATIENCE)
  marking.elect('starling', {
    node: 'aggregator-1',
    incarnation: { serial: 1, boot: 1, refutations: 0 },
    term: 0,
    roster: () => ({ aggregators: [] }) as never,
    canvass: () => {},
    lead: () => {},
    standBy: () => {},
    onNotice: () => {},
  })
  await vi.waitFor(() => expect(hangingThen).toBeGreaterThan(0), PATIENCE)
  await Promise.all([marking.stop(), ...reads])
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})
