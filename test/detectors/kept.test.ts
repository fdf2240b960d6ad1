/** What detectors know through a restart: on disk, and what of it holds afterwards. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding, Reason } from '../../detectors/contract.ts'
import { type Kept, resume } from '../../detectors/engine/kept.ts'
import { openTrackStore } from '../../detectors/engine/store.ts'
import { type Sighting, stepTrack, type TrackContext } from '../../detectors/engine/track.ts'
import { momentAt } from '../../detectors/testing/virtual-clock.ts'

const context: TrackContext = {
  node: 'node-7',
  detector: 'disk',
  version: '1.2.3',
  ttlMs: 45_000,
  reasons: { Full: { severity: 'alarm', summary: 'full', sustain: '30s', runbook: 'disk' } },
}
const seen = { kind: 'judged', judgements: [{ reason: 'Full', summary: 'full', evidence: [] }] } as const
const unseen = { kind: 'judged', judgements: [] } as const

/** Seen at 100 s and 130 s, so reported at 130 s. */
function known(): Kept {
  const first = stepTrack(context, { sightings: [], flaps: [], reported: [] }, momentAt(100_000), seen)
  const { track } = stepTrack(context, first.track, momentAt(130_000), seen)
  return { version: '1.2.3', options: '{}', lookedMs: 130_000, track, past: [new Map([['a', 1n]])] }
}
const now = { version: '1.2.3', options: '{}', reasons: context.reasons, ttlMs: 45_000 }
const restarted = (kept: Kept, isSameBoot: boolean, ms: number, result: typeof seen | typeof unseen = seen) => {
  const resumed = resume(kept, isSameBoot, momentAt(ms), now)
  const step = stepTrack(context, resumed.track, momentAt(ms), result, resumed.absence)
  return { resumed, reported: step.track.reported.map(({ id }) => id) }
}
const ID = 'node-7/disk/Full/#2026-01-01T00:01:40.000Z'

describe('after a restart of the agent', () => {
  it('a fault is said again at once, for the rest of its time, and is the same when it is seen', () => {
    const { resumed, reported } = restarted(known(), true, 140_000)
    expect(resumed.standing).toMatchObject([{ id: ID, ttlMs: 35_000 }])
    expect(resumed.past).toHaveLength(1)
    expect(reported).toEqual([ID])
  })

  it('a fault that is gone is gone as it would have been', () => {
    const { reported } = restarted(known(), true, 140_000, unseen)
    // Not yet: it has not been gone for its sustain.
    expect(reported).toEqual([ID])
  })

  it('a fault that was not sustained yet goes on counting', () => {
    const { track } = stepTrack(context, { sightings: [], flaps: [], reported: [] }, momentAt(100_000), seen)
    const kept = { ...known(), track, lookedMs: 100_000 }
    expect(restarted(kept, true, 131_000).reported).toEqual([ID])
  })

  it.each([
    ['a later version, whose samples may differ', { version: '1.2.2' }, 140_000, 'says-nothing', 0, 1],
    ['other options', { options: '{"limit":1}' }, 140_000, 'ends', 0, 0],
    ['a long time', {}, 175_000, 'ends', 0, 0],
    ['a clock that went back', {}, 129_000, 'ends', 0, 0],
  ] as const)('with %s nothing of before is compared with', (_, part, ms, absence, past, standing) => {
    const { resumed, reported } = restarted({ ...known(), ...part }, true, ms)
    expect(resumed.absence).toBe(absence)
    expect([resumed.past.length, resumed.standing.length]).toEqual([past, standing])
    // It is there all the same, and so the same fault.
    expect(reported).toEqual([ID])
  })

  it('a reason that this version does not know is forgotten', () => {
    const kept = known()
    const [sighting] = kept.track.sightings
    const odd = { ...kept.track, sightings: [{ ...(sighting as Sighting), reason: 'Gone' }] }
    const reported = kept.track.reported.map((finding): Finding => ({ ...finding, reason: 'Gone' }))
    const { resumed } = restarted({ ...kept, track: { ...odd, reported } }, true, 140_000)
    expect(resumed.track.sightings).toEqual([])
    expect(resumed.standing).toEqual([])
  })
})

describe('after a restart of the host', () => {
  it('a fault is not said before it has been seen for its sustain, and then is another', () => {
    const { track, past, absence, standing } = resume(known(), false, momentAt(5_000), now)
    expect([past, standing]).toEqual([[], []])
    const first = stepTrack(context, track, momentAt(6_000), seen, absence)
    const early = stepTrack(context, first.track, momentAt(35_999), seen)
    const sustained = stepTrack(context, early.track, momentAt(36_000), seen)
    const said = [first, early, sustained].map((step) => step.track.reported.map(({ id }) => id.split('/')[2]))
    expect(said).toEqual([['Ok'], ['Ok'], ['Full']])
    expect(sustained.track.reported[0]?.id).toBe('node-7/disk/Full/#2026-01-01T00:00:06.000Z')
  })

  it('a fault that needs no time is not said before it is seen, and then is the same', () => {
    const reasons = { Full: { ...context.reasons.Full, sustain: '0s' } as Reason }
    const { track, absence, standing } = resume(known(), false, momentAt(5_000), { ...now, reasons })
    expect(standing).toEqual([])
    const { reported } = stepTrack({ ...context, reasons }, track, momentAt(5_000), seen, absence).track
    expect(reported.map(({ id }) => id)).toEqual([ID])
  })

  it('a fault that the first look does not see is over', () => {
    expect(restarted(known(), false, 5_000, unseen).reported).toEqual(['node-7/disk/Ok/#2026-01-01T00:00:05.000Z'])
  })
})

describe('what detectors know, on disk', () => {
  let dir: string
  const warnings: string[] = []
  const nothing = () => {}
  const log = { debug: nothing, info: nothing, error: nothing, warn: (_: object, text: string) => warnings.push(text) }
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'starling-kept-'))
    warnings.length = 0
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  const open = (node = 'node-7') => openTrackStore(dir, node, log)
  const file = () => join(dir, 'detectors')

  it('is nothing before the first time', async () => {
    expect((await (await open()).load()).detectors.size).toBe(0)
    expect(warnings).toEqual([])
  })

  it('comes back as it was, maps and big integers in samples included', async () => {
    await (await open()).save(new Map([['disk', known()]]))
    const { isSameBoot, detectors } = await (await open()).load()
    expect(isSameBoot).toBe(process.platform === 'linux')
    expect(detectors.get('disk')).toEqual(known())
    expect(readdirSync(dir)).toEqual(['detectors'])
  })

  it('is of another boot when the host says so', async () => {
    await (await open()).save(new Map([['disk', known()]]))
    const state = JSON.parse(readFileSync(file(), 'utf8')) as object
    writeFileSync(file(), JSON.stringify({ ...state, boot: 'another' }))
    expect((await (await open()).load()).isSameBoot).toBe(false)
  })

  it('is written one after the other, the last one last', async () => {
    const store = await open()
    const saves = Array.from({ length: 20 }, (_, index) =>
      store.save(new Map([['disk', { ...known(), version: `${index}` }]])),
    )
    await Promise.all(saves)
    expect((await store.load()).detectors.get('disk')?.version).toBe('19')
    expect(readdirSync(dir)).toEqual(['detectors'])
  })

  it('is nothing to another node', async () => {
    await (await open()).save(new Map([['disk', known()]]))
    expect((await (await open('node-8')).load()).detectors.size).toBe(0)
  })

  it('keeps the newest samples that fit, and none that cannot be written', async () => {
    const past = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(5_000))
    await (await open()).save(
      new Map([
        ['large', { ...known(), past }],
        ['odd', { ...known(), past: [() => {}] }],
      ]),
    )
    const { detectors } = await (await open()).load()
    expect(detectors.get('large')?.past).toEqual(past.slice(0, 4))
    expect(detectors.get('odd')?.past).toEqual([])
  })

  it('is of bounded size, the worst faults first', async () => {
    const kept = known()
    const [sighting] = kept.track.sightings as [Sighting]
    const evidence = Array(32).fill({ name: 'n'.repeat(200), value: 'v'.repeat(200), unit: '' })
    const sightings = Array.from({ length: 256 }, (_, index) => ({ ...sighting, cause: `${index}`, evidence }))
    await (await open()).save(new Map([['disk', { ...kept, track: { ...kept.track, sightings } }]]))
    expect(readFileSync(file(), 'utf8').length).toBeLessThan(300 * 1024)
    const { detectors } = await (await open()).load()
    const causes = detectors.get('disk')?.track.sightings.map(({ cause }) => cause) ?? []
    expect(causes.length).toBeGreaterThan(8)
    expect(causes).toEqual(sightings.slice(0, causes.length).map(({ cause }) => cause))
  })

  it.each([
    ['cut off', (path: string) => truncateSync(path, 100)],
    ['no JSON', (path: string) => writeFileSync(path, '\0\0')],
    ['of another form', (path: string) => writeFileSync(path, '{"format":2}')],
    [
      'with a sample that is none',
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"past":\["[^"]*"/, '"past":["AAAA"')),
    ],
  ])('is set aside when the file is %s', async (_, damage) => {
    await (await open()).save(new Map([['disk', known()]]))
    damage(file())
    expect((await (await open()).load()).detectors.size).toBe(0)
    expect(readdirSync(dir)).toEqual(['detectors.refused'])
    expect(warnings).toEqual(['what detectors knew is lost: the file is damaged and set aside'])
  })
})
