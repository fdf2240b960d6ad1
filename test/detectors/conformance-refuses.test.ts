/** Each check of the conformance suite, shown to fail on a detector that does just that one thing wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type Detector, defineDetector, type Host, NotApplicable } from '../../detectors/contract.ts'
import { conformance } from '../../detectors/testing/conformance.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-conformance-'))
  const record = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const commands = JSON.stringify({ commands: { '/bin/count': { stdout: '1' } } })
  for (const [name, full] of Object.entries({ ok: '3', bad: '9' })) {
    record(`${name}/host.json`, commands)
    record(`${name}/etc/things/a`, full)
    record(`${name}/etc/things/b`, '1')
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => void vi.useRealTimers())

interface Thing {
  readonly counts: readonly number[]
}

/** How many things there are, in each file of a folder, and by a program. */
const sound = defineDetector({
  name: 'thing',
  summary: 'How many things there are.',
  every: '10s',
  timeout: '5s',
  needs: [],
  touches: { paths: ['/etc/things/*'], commands: ['/bin/count'] },
  options: z.strictObject({ limit: z.number().default(5) }),
  reasons: { ThingsMany: { severity: 'warn', summary: 'There are too many.', sustain: '15s', runbook: 'thing' } },
  async sample(host, _, signal): Promise<Thing> {
    signal.throwIfAborted()
    const names = await host.list('/etc/things')
    const counts = await Promise.all(names.map((name) => host.readInt(`/etc/things/${name}`)))
    await host.run(['/bin/count'], { signal })
    return { counts }
  },
  judge({ counts }, { limit }) {
    const most = Math.max(...counts)
    if (most < limit) return []
    const evidence = [{ name: 'things', value: most, limit, unit: 'things' }]
    return [{ reason: 'ThingsMany', summary: `${most} things`, evidence }]
  },
})

/** Names of the checks that fail. */
async function failing(changed: Partial<typeof sound>): Promise<readonly string[]> {
  const failed: string[] = []
  for (const { name, run } of conformance({ ...sound, ...changed } as Detector, folder, { seed: 1 })) {
    await run().catch(() => failed.push(name))
  }
  return failed
}

it('passes a sound one', async () => {
  expect(await failing({})).toEqual([])
})

const reason = sound.reasons.ThingsMany
const { sample, judge } = sound
let calls = 0
let lastMany = false

it.each<[string, Partial<Record<keyof typeof sound, unknown>>]>([
  ['has names and sentences', { summary: 'many things' }],
  ["reason of the engine's", { reasons: { ...sound.reasons, Ok: reason } }],
  ['has time enough', { timeout: '1m' }],
  ['supersedes only', { reasons: { ThingsMany: { ...reason, supersedes: 'ThingsFew' } } }],
  ['refuses an option', { options: z.object({ limit: z.number().default(5) }) }],
  ['empty host', { sample: (...given: Parameters<typeof sample>) => sample(...given).catch(toNothing(NotApplicable)) }],
  ['nothing wrong with a host that is well', { options: z.strictObject({ limit: z.number().default(2) }) }],
  [
    'cannot read',
    { sample: async (host: Host, _: object, s: AbortSignal) => sample(await lenient(host), _ as never, s) },
  ],
  ['does not begin', { sample: lateToStop }],
  ['stops when it is told', { sample: withoutStop }],
  ['judges by what it is given', { judge: (thing: Thing) => numbered(judge(thing, { limit: 5 }, []), ++calls) }],
  [
    'stays within',
    { judge: (thing: Thing) => judge(thing, { limit: 5 }, []).map((one) => ({ ...one, cause: 'x'.repeat(201) })) },
  ],
  [
    'survives any content',
    { judge: (thing: Thing) => judge({ counts: [9, ...thing.counts] }, { limit: 5 }, []).map(withNaN) },
  ],
  ['says when a fault is over', { judge: sticky }],
  [
    'says nothing of a host that is well',
    {
      judge: ({ counts }: Thing) =>
        judge({ counts: [counts[0] === 1 ? 9 : 1, counts[1] === 9 ? 9 : 1] }, { limit: 5 }, []),
    },
  ],
  ['does not flap', { judge: ({ counts }: Thing) => numbered(judge({ counts }, { limit: 5 }, []), counts[0] ?? 0) }],
])('fails where it says: %s', async (name, changed) => {
  expect((await failing(changed as Partial<typeof sound>)).filter((failed) => failed.includes(name))).toHaveLength(1)
})

it('fails once, and says which, without a recorded host', async () => {
  const [check, ...others] = conformance(sound as unknown as Detector, join(folder, 'ok'))
  expect(others).toEqual([])
  await expect(check?.run()).rejects.toThrow(`there is no ${join(folder, 'ok', 'ok')}\nstarling plugin record`)
})

it('ends, and says why, where looking never ends, and does not look again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let looks = 0
  const endless: Partial<typeof sound> = {
    sample: () => {
      looks++
      return new Promise(() => {})
    },
  }
  const checks = conformance({ ...sound, ...endless } as Detector, folder, { seed: 1 })
  const well = checks.find(({ name }) => name.includes('a host that is well'))
  const first = expect(well?.run()).rejects.toThrow('sample goes on after 10 s')
  await vi.advanceTimersByTimeAsync(10_000)
  await first
  await expect(well?.run()).rejects.toThrow('sample goes on after 10 s')
  expect(looks).toBe(1)
})

it('says what a detector said, and of which random input, before anything else', async () => {
  const judging = { ...sound, judge: () => [{ reason: 'ThingsMani', summary: '9 things', evidence: [] }] }
  const checks = conformance(judging as unknown as Detector, folder, { seed: 1 })
  const saying = (part: string) => checks.find(({ name }) => name.includes(part))?.run()
  await expect(saying('a fault is over')).rejects.toThrow(/^of the host .* it says ProbeFailed: .*ThingsMani/)
  await expect(saying('in whatever order')).rejects.toThrow(/^it says ProbeFailed: .*ThingsMani.*\nwith .*seed 1/)
})

function numbered(judgements: ReturnType<typeof judge>, count: number): ReturnType<typeof judge> {
  return judgements.map((judgement) => ({ ...judgement, cause: String(count) }))
}

function withNaN(judgement: ReturnType<typeof judge>[number]) {
  return { ...judgement, summary: 'NaN' }
}

/** Does not ask before the first thing that it waits for. */
function lateToStop(host: Host, options: { limit: number }, signal: AbortSignal): Promise<Thing> {
  return sample(host, options, signal.aborted ? new AbortController().signal : signal)
}

/** Once many, always many. */
function sticky(thing: Thing) {
  lastMany ||= judge(thing, { limit: 5 }, []).length > 0
  return judge(lastMany ? { counts: [9] } : thing, { limit: 5 }, [])
}

function toNothing(kind: typeof NotApplicable) {
  return (error: unknown) => {
    if (error instanceof kind) return { counts: [] }
    throw error
  }
}

/** Takes what cannot be read for nothing. */
async function lenient(host: Host): Promise<Host> {
  return {
    ...host,
    list: (path) => host.list(path).catch(() => []),
    run: (command, options) =>
      host.run(command, options).catch(() => ({ code: 0, signal: null, stdout: '', stderr: '', truncated: false })),
  }
}

/** Takes a program that it was told not to wait for any longer for one that is not there. */
function withoutStop(host: Host, options: { limit: number }, signal: AbortSignal): Promise<Thing> {
  signal.throwIfAborted()
  return sample(host, options, signal).catch((error: unknown) => {
    if (signal.aborted) return { counts: [] }
    throw error
  })
}
