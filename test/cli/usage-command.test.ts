/** `starling usage`: what a node used, by the aggregator and by an agent's own word. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { decodeAsk, encodeTold, USAGE_TOPIC, type UsageAnswer } from '../../detectors/usage/notes.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { startHealthServer } from '../../node-agent/health-server.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

const ANSWER: UsageAnswer = {
  node: 'node-2',
  from: '2026-11-22T00:00:00.000Z',
  to: '2026-11-22T00:59:00.000Z',
  step: 2,
  held: 23,
  matching: 1,
  subjects: [
    { name: 'node', figures: { cpu: [100, 200, 1_600], memory: [null, 4_290_000_000, 2_150_000_000] } },
    { name: 'container/shop/api/app\u001b[31m', figures: { cpu: [null, null], received: [0, 2_050] } },
  ],
}

let served: ServedSample
let env: Record<string, string>
const asked: string[] = []
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
  // A mesh of one node, which answers at once.
  served.desks.usage.start((topic, bytes) => {
    const { id, node, query } = decodeAsk(bytes)
    asked.push(`${topic} ${query.subject} ${query.minutes}`)
    const answer = { ...ANSWER, node, subjects: query.subject === 'none' ? [] : ANSWER.subjects }
    const body = { kind: 'note', topic: USAGE_TOPIC, bytes: encodeTold({ id, answer }) }
    const statement = { statement: { signer: node, body } } as SignedStatement
    queueMicrotask(() => served.desks.usage.hear(statement))
  })
})
afterAll(() => served.close())

const cli = (...args: string[]) => run(['usage', ...args], { env })

describe('usage of a node', () => {
  it('is a picture of each figure, harmless to a terminal', async () => {
    const { stdout, code } = await cli('node-2')
    expect(
      stdout,
    ).toBe(`node-2, 2026-11-22 05:45:00 +05:45 to 2026-11-22 06:44:00 +05:45, one column 2 minutes; 23 subjects

node
  processor    ▁▂█  100m to 1.60, now 1.60
  memory        █▅  2.00 GiB to 4.00 GiB, now 2.00 GiB

container/shop/api/app [31m
  net received ▁█  0.00 B/s to 2.00 KiB/s, now 2.00 KiB/s
`)
    expect(code).toBe(0)
  })

  it('is asked of that node alone, for what is wanted of it', async () => {
    asked.length = 0
    await cli('node-2', '--container', 'shop/', '--since', '90s')
    await cli('node-2', '--service', 'kubelet', '--since', '24h', '-o', 'json')
    expect(asked).toEqual(['usage-ask/node-2 shop/ 2', 'usage-ask/node-2 kubelet 1440'])
  })

  it('is the answer itself as JSON', async () => {
    const { stdout } = await cli('node-2', '-o', 'json')
    expect(JSON.parse(stdout)).toEqual({ apiVersion: 'starling.mesh/v1alpha1', kind: 'Usage', items: [ANSWER] })
  })

  it('says so when nothing is of that name, or there is no such node', async () => {
    expect((await cli('node-2', '--container', 'none')).stdout).toContain('nothing of that name was seen')
    const { stderr, code } = await cli('nod-2')
    expect([stderr, code]).toEqual([expect.stringContaining('did you mean node-2?'), 2])
    const unlike = await cli('worker-seventeen')
    expect([unlike.stderr, unlike.code]).toEqual([expect.stringContaining('`starling members` lists them'), 2])
  })

  it.each([
    [[], 'name one, or ask the agent'],
    [['node-2', '--since', 'yesterday'], '--since yesterday'],
    [['node-2', '--since', '25h'], '--since 25h is more than is kept, 24h'],
    [['node-2', '--since', '1441m'], 'give 24h or less'],
    [['node-2', '--container', 'a', '--service', 'b'], 'one of them at a time'],
  ])('refuses %j', async (args, why) => {
    const { stderr, code } = await cli(...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)])
  })
})

describe('usage by an agent of this machine', () => {
  let stop = () => {}
  let server: Server | undefined
  afterEach(() => {
    stop()
    server?.close()
  })

  it('needs no mesh', async () => {
    const port = await freePort()
    const usage = (query: URLSearchParams) => {
      if (query.get('subject') === 'bad') throw new Error('bad')
      return ANSWER
    }
    stop = await startHealthServer({ host: '127.0.0.1', port, metrics: async () => '', usage })
    const { stdout, code } = await cli('--local', '--agent', `http://127.0.0.1:${port}`)
    expect([code, stdout.split('\n')[2]]).toEqual([0, 'node'])
    const refused = await cli('--local', '--agent', `http://127.0.0.1:${port}`, '--container', 'bad')
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('no agent that knows of usage')])
  })

  it('says when nobody, or somebody else, answers there', async () => {
    const port = await freePort()
    expect((await cli('--local', '--agent', `http://127.0.0.1:${port}`)).stderr).toContain('ECONNREFUSED')
    server = createServer((_, response) => response.end('{}')).listen(port, '127.0.0.1')
    expect((await cli('--local', '--agent', `http://127.0.0.1:${port}`)).stderr).toContain(
      'no agent that knows of usage',
    )
  })

  async function freePort(): Promise<number> {
    const probe = createServer()
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise((resolve) => probe.close(resolve))
    return port
  }
})
