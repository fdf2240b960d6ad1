/** When an agent records what a detector reads, and when it refuses to. */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { silentLog } from '../../common/log.ts'
import { type Detector, defineDetector, type Host } from '../../detectors/contract.ts'
import type { RunResult } from '../../detectors/engine/track.ts'
import { unpackRecording } from '../../detectors/recording/pack.ts'
import { VirtualClock } from '../../detectors/testing/virtual-clock.ts'
import { Recorder, type RecorderInit } from '../../node-agent/recorder.ts'
import { fixtureHost } from '../detectors/fixture-host.ts'

const detector: Detector = defineDetector({
  name: 'one',
  summary: 'for tests',
  every: '10s',
  timeout: '2s',
  needs: ['kmsg'],
  touches: { paths: ['/etc/one'] },
  options: z.strictObject({}),
  reasons: { Bad: { severity: 'warn', summary: 'bad', sustain: '20s', runbook: 'none' } },
  sample: (host) => host.readText('/etc/one'),
  judge: (text) => [{ reason: 'Bad', cause: 'db-3', summary: text, evidence: [{ name: text, value: text, unit: '' }] }],
})

function recorderOf(text: string, more: Partial<RecorderInit> = {}) {
  const clock = new VirtualClock()
  const host: Host = {
    ...fixtureHost('empty'),
    node: 'db-1',
    missing: async (needs) => needs,
    readText: async () => text,
  }
  const look = async (through: Host): Promise<RunResult> => {
    const sample = await detector.sample(through, {}, new AbortController().signal)
    return { kind: 'judged', judgements: detector.judge(sample, {}, []) }
  }
  const recorder = new Recorder({
    isAllowed: true,
    host,
    detectors: () => [detector],
    glimpse: (_, through) => look(through),
    nodes: () => ['db-1', 'db-2', 'db-3'],
    log: silentLog,
    clock,
    ...more,
  })
  return { clock, look, answer: (name = 'one') => recorder.answer('aggregator-1', name) }
}

it('answers with what was read, redacted on this host', async () => {
  const { answer } = recorderOf(`db-1 of ${hostname()} asks db-2 at 10.9.8.7 with password=hunter2\n`)
  const told = await answer()
  if (!('packed' in told)) throw new Error(told.refused)
  const clean = 'node-7 of node-7 asks peer-2 at 192.0.2.1 with password=REDACTED\n'
  const recorded = unpackRecording(told.packed)
  expect(recorded).toMatchObject({
    detector: 'one',
    touches: expect.stringContaining('/etc/one'),
    judgements: [{ severity: 'warn', reason: 'Bad', cause: 'peer-1', summary: clean }],
    host: { files: { '/etc/one': clean }, host: { node: 'node-7', missing: ['kmsg'] } },
  })
  expect(JSON.stringify(recorded)).not.toMatch(/db-\d|hunter2|10\.9|evidence/)
})

it('refuses by its own configuration, before anything is read', async () => {
  const glimpse = () => Promise.reject(new Error('it looked'))
  expect(await recorderOf('', { isAllowed: false, glimpse }).answer()).toEqual({
    refused: 'db-1 refuses recordings by its own configuration',
    remedy: expect.stringMatching(/`recordings: allow` in its agent.yaml .* --here/),
  })
})

it('refuses a detector that it does not have, or that is switched off', async () => {
  expect(await recorderOf('').answer('two')).toMatchObject({ refused: 'db-1 has no detector two' })
  const glimpse = () => Promise.reject(new Error('detector one is switched off'))
  expect(await recorderOf('', { glimpse }).answer()).toEqual({
    refused: 'detector one is switched off',
    remedy: expect.stringContaining('starling plugin record one --here'),
  })
})

it('refuses what is too large, with what to do instead', async () => {
  const remedy = expect.stringContaining('starling plugin record one --here')
  const refused = 'more than 1 MiB were read, which is too much to record'
  expect(await recorderOf('x'.repeat(1024 * 1024 + 1)).answer()).toEqual({ refused, remedy })
  const digests = Array.from({ length: 3_000 }, (_, index) => createHash('sha512').update(`${index}`).digest('base64'))
  expect(await recorderOf(digests.join('')).answer()).toEqual({
    refused: expect.stringMatching(/^the recording is \d+ bytes when packed, and 64512 may/),
    remedy,
  })
})

it('also refuses when the detector made something else of its error', async () => {
  const glimpse = async (_: string, through: Host): Promise<RunResult> => {
    await through.readText('/etc/one').catch(() => {})
    return { kind: 'judged', judgements: [] }
  }
  expect(await recorderOf('x'.repeat(1024 * 1024 + 1), { glimpse }).answer()).toHaveProperty('refused')
})

it('records one at a time, and 10 s apart', async () => {
  let release = () => {}
  const waits = new Promise<void>((resolve) => {
    release = resolve
  })
  const { clock, answer } = recorderOf('x', {
    glimpse: async () => {
      await waits
      return { kind: 'judged', judgements: [] }
    },
  })
  const first = answer()
  expect(await answer()).toEqual({
    refused: 'db-1 records for somebody',
    remedy: 'one at a time, and 10s between two: ask again',
  })
  release()
  expect(await first).toHaveProperty('packed')
  await clock.advance(9_999)
  expect(await answer()).toMatchObject({ refused: 'db-1 has just recorded for somebody' })
  await clock.advance(1)
  expect(await answer()).toHaveProperty('packed')
})
