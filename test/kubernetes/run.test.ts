/** Marking as it is put together, over terms of office: what another term begins, the end of the one before must not take away. */
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { connectMarking, type Kubernetes } from '../../aggregator/kubernetes/run.ts'
import type { MarkStory } from '../../aggregator/mark-story.ts'
import { silentLog } from '../../common/log.ts'
import { readMarking } from '../../settings/marking.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { standing } from './cases.ts'
import { type FakeServer, json, startFakeServer } from './fake-server.ts'

const MESH = { leader: undefined, lives: () => {}, askAfresh: () => {} }

let server: FakeServer
let kubernetes: Kubernetes
/** Readings of Nodes that wait for an answer. */
let readings: ServerResponse[]

beforeEach(async () => {
  server = await startFakeServer()
  readings = []
  server.list = (response, _, path) => {
    if (path.includes('/nodes/')) readings.push(response)
    else json(response, { apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: [] })
  }
  kubernetes = await connectMarking({
    access: { kubeconfig: server.kubeconfig },
    // No Node is found, so nothing comes of any.
    story: {} as MarkStory,
    metrics: { mark: () => {}, apiWrite: () => {} },
    log: silentLog,
    marking: () => readMarking(),
    findingsOf: () => [],
    verdictOf: () => undefined,
  })
})
afterEach(async () => {
  server.list = (response) => json(response, {}, 404)
  for (const reading of readings) json(reading, {}, 404)
  await kubernetes.stop()
  server.close()
})

test('an aggregator that leads again before it has come to rest looks after its verdicts', async () => {
  kubernetes.start(MESH, [standing()])
  await vi.waitFor(() => expect(readings).toHaveLength(1), PATIENCE)
  const resting = kubernetes.rest()
  kubernetes.start(MESH, [])
  for (const reading of readings.splice(0)) json(reading, {}, 404)
  await resting
  kubernetes.committed({ ...standing('NodeDown', 'v-2'), subject: 'b' })
  await vi.waitFor(() => expect(readings).toHaveLength(1), PATIENCE)
})
