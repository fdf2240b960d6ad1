/** A newer version of a detector that finds much more than the older: from what nodes report to what does not count. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Chronicle } from '../../aggregator/chronicle.ts'
import type { Journal } from '../../aggregator/model.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { VersionHolds } from '../../aggregator/version-holds.ts'
import { heardNow, isConfirmed, whyTripped } from '../../aggregator/version-trips.ts'
import type { Finding, FindingStatus } from '../../detectors/contract.ts'

const NODES = Array.from({ length: 20 }, (_, index) => `node-${index}`)
const RELEASE = { reason: 'it is right', via: 'cli' } as const

function finding(node: string, status: FindingStatus, version?: string, at = '2026-03-14T09:26:53Z'): Finding {
  const reason = status === 'ok' ? 'Ok' : 'DiskAlmostFull'
  const words = { id: `${node}/disk`, node, detector: 'disk', reason, cause: '', status, summary: 'full', evidence: [] }
  return { ...words, since: at, observedAt: at, ttlMs: 60_000, ...(version === undefined ? {} : { version }) }
}

let dir: string
let store: Journal
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-holds-'))
  store = openJournal(join(dir, 'history.sqlite'))
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true })
})

const newHolds = () => new VersionHolds(new Chronicle(store, 'life', () => {}))
const says = () => store.query({ kinds: ['finding'], limit: 10 }).map(({ summary }) => summary)

/** All on 1.9 and well; then these with 1.10, and something new on them. */
function tripped(ill: readonly string[] = NODES.slice(0, 1)): VersionHolds {
  const holds = newHolds()
  for (const node of NODES) holds.hear(node, 'disk', [finding(node, 'ok', '1.9.0')])
  for (const node of ill) holds.hear(node, 'disk', [finding(node, 'alarm', '1.10.0')])
  return holds
}

describe('a version', () => {
  it('that finds something new where the older finds nothing is held, and shown so', () => {
    const holds = tripped()
    const why = 'version 1.10.0 finds something new on 1 of 1, older ones on 0 of 19'
    expect(holds.held).toMatchObject([{ detector: 'disk', version: '1.10.0', why }])
    expect(holds.seen(finding('node-0', 'alarm', '1.10.0'))).toMatchObject({
      status: 'unknown',
      summary: `held, since ${why}: full`,
    })
    for (const other of [
      finding('node-1', 'alarm', '1.9.0'),
      finding('node-0', 'ok', '1.10.0'),
      finding('x', 'alarm'),
    ]) {
      expect(holds.seen(other)).toBe(other)
    }
    expect(says()).toEqual([`findings of disk are held: ${why}`])
  })

  it('that finds what was there before, or what all find, is not', () => {
    const holds = newHolds()
    for (const node of NODES) holds.hear(node, 'disk', [finding(node, 'alarm', '1.9.0')])
    holds.hear('node-0', 'disk', [finding('node-0', 'alarm', '1.10.0')])
    expect(holds.held).toEqual([])
    const later = newHolds()
    for (const node of NODES) later.hear(node, 'disk', [finding(node, 'ok', '1.9.0')])
    for (const node of NODES.slice(1)) later.hear(node, 'disk', [finding(node, 'alarm', '1.9.0')])
    later.hear('node-0', 'disk', [finding('node-0', 'alarm', '1.10.0')])
    expect(later.held).toEqual([])
  })

  it('that came long ago is not held for what happens now, whichever old version a node stays on', () => {
    const holds = newHolds()
    const others = NODES.slice(1, 5)
    for (const node of NODES.slice(0, 5)) holds.hear(node, 'disk', [finding(node, 'ok', '1.9.0')])
    for (const node of others) holds.hear(node, 'disk', [finding(node, 'ok', '1.10.0')])
    holds.hear('node-1', 'disk', [finding('node-1', 'alarm', '1.10.0', '2026-03-14T10:26:53Z')])
    expect(holds.held).toEqual([])
    const started = newHolds()
    started.hear('node-0', 'disk', [finding('node-0', 'ok', '1.9.0')])
    for (const node of others) started.hear(node, 'disk', [finding(node, 'ok', '1.10.0')])
    started.hear('node-1', 'disk', [finding('node-1', 'alarm', '1.10.0')])
    expect(started.held).toEqual([])
  })

  it('that a node makes up in each report leaves no more than so many on record, and none that is run is dropped', () => {
    const holds = tripped()
    for (let patch = 0; patch < 200; patch++) {
      for (const status of ['ok', 'alarm'] as const) {
        holds.hear('node-9', 'disk', [finding('node-9', status, `2.${patch}.${status === 'ok' ? 0 : 1}`)])
      }
    }
    expect(newHolds().held.length).toBeLessThanOrEqual(65)
    expect(holds.held).toContainEqual(expect.objectContaining({ version: '1.10.0' }))
  })

  it('stays held through a restart, until somebody releases it, and does not trip again', () => {
    tripped()
    const holds = newHolds()
    expect(holds.held).toHaveLength(1)
    expect(() => holds.release('conntrack', RELEASE, 'somebody')).toThrow('no finding of conntrack is held')
    expect(holds.release('disk', RELEASE, 'somebody').summary).toBe(
      'findings of disk 1.10.0 released by somebody (cli): it is right',
    )
    for (const node of NODES) holds.hear(node, 'disk', [finding(node, 'ok', '1.9.0')])
    holds.hear('node-0', 'disk', [finding('node-0', 'alarm', '1.10.0')])
    expect(holds.held).toEqual([])
  })

  it('is held and released at whoever stands by, too, whether that heard of it or not', () => {
    const leader = tripped()
    leader.release('disk', RELEASE, 'somebody')
    const [held, released] = store.query({ kinds: ['finding'], limit: 10 })
    if (held === undefined || released === undefined) throw new Error('it was held and released')
    const other = openJournal(':memory:')
    const standby = () => new VersionHolds(new Chronicle(other, 'other', () => {}))
    const deaf = standby()
    deaf.copied(held)
    expect(deaf.held).toMatchObject([{ detector: 'disk', version: '1.10.0' }])
    deaf.copied(released)
    deaf.copied(held)
    expect([deaf.held, standby().held]).toEqual([[], []])
    other.writeFact('detectors/holds', '[]')
    const late = standby()
    late.copied(released)
    for (const node of NODES) late.hear(node, 'disk', [finding(node, 'ok', '1.9.0')])
    late.hear('node-0', 'disk', [finding('node-0', 'alarm', '1.10.0')])
    expect(late.held).toEqual([])
    other.close()
  })

  it('counts again when it is everywhere and finds no more than chance', () => {
    const holds = tripped()
    holds.hear('node-0', 'disk', [finding('node-0', 'ok', '1.10.0')])
    expect(holds.held).toHaveLength(1)
    for (const node of NODES) holds.hear(node, 'disk', [finding(node, 'ok', '1.10.0')])
    expect([holds.held, says().at(-1)]).toEqual([[], expect.stringContaining('count again')])
  })

  it('is not everywhere for nodes that are members no more', () => {
    const holds = tripped()
    holds.hear('node-0', 'disk', [finding('node-0', 'ok', '1.10.0')])
    holds.retain((node) => node === 'node-0')
    holds.hear('node-0', 'disk', [finding('node-0', 'ok', '1.10.0')])
    expect(holds.held).toEqual([])
  })
})

describe('what is heard', () => {
  it('is nothing where no version is named, and remembers how the version before found things', () => {
    expect(heardNow([finding('a', 'alarm')], undefined)).toBeUndefined()
    const first = heardNow([finding('a', 'alarm', '1')], undefined)
    const sinceMs = Number.NEGATIVE_INFINITY
    expect(first).toEqual({ version: '1', sinceMs, isBad: true, wasBad: true, isLate: false })
    expect(
      heardNow([finding('a', 'unknown', '2')], { version: '1', sinceMs, isBad: false, wasBad: true, isLate: false }),
    ).toEqual({
      version: '2',
      sinceMs: Date.parse('2026-03-14T09:26:53Z'),
      isBad: true,
      wasBad: false,
      isLate: false,
    })
  })

  it('is compared by number, with versions that are older', () => {
    const ill = { version: '1.10', sinceMs: 0, isBad: true, wasBad: false, isLate: false }
    const well = (version: string) => ({ version, sinceMs: 0, isBad: false, wasBad: false, isLate: false })
    expect(whyTripped('1.10', [ill, well('1.9')])).toBeDefined()
    expect(whyTripped('1.10', [ill, well('1.11')])).toBeUndefined()
    expect(isConfirmed('1.10', [well('1.10'), well('1.10')])).toBe(true)
    expect(isConfirmed('1.10', [well('1.10'), ill])).toBe(false)
  })
})
