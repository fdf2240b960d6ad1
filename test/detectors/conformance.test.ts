/** What every detector must do, whatever it looks at. A new one is held to it by being in the list. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs } from '../../common/duration.ts'
import { renderCatalogue } from '../../detectors/catalogue.ts'
import { type Detector, type FilesystemUse, type Host, NotApplicable } from '../../detectors/contract.ts'
import { HOLD_MS_MAX } from '../../detectors/engine/flaps.ts'
import { unknownReason } from '../../detectors/engine/track.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { parseWholeNumber } from '../../detectors/host/host.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { type Fixture, fixtureHost, fixtureRoot } from './fixture-host.ts'

const docs = new URL('../../docs/', import.meta.url)
const signal = () => new AbortController().signal

/** One that answers everything with what is given, whatever it is asked for. */
function garbageHost(text: string, use: FilesystemUse, offsets: readonly [number, number][]): Host {
  return {
    node: 'node-7',
    missing: async () => [],
    readText: async () => text,
    readInt: async (path) => parseWholeNumber(path, text),
    readWords: async () => text.split('\0'),
    processes: async () => ({ processes: [{ id: '7', words: text.split('\0') }], unseen: undefined, isFresh: true }),
    readLink: async () => text,
    list: async () => ['1', '7', text],
    age: async () => 0,
    exists: async () => true,
    filesystem: async () => use,
    get: async () => ({ status: 200, headers: {}, body: text, tookMs: 1 }),
    call: async () => Buffer.from(text),
    run: async () => ({ code: 0, signal: null, stdout: text, stderr: '', truncated: false }),
    log: async () => [{ pattern: 0, cause: text, text, agesMs: [0] }],
    peerOffsets: () => offsets.map(([offsetMs, errorMs], index) => ({ node: `n${index}`, offsetMs, errorMs })),
  }
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', '0', '-1', '1e9', 'NaN', '99999999999999999999', '/dev/sda1 / ext4 rw 0 0', 'kubelet\0'),
  fc
    .array(fc.array(fc.constantFrom('/', 'ext4', 'rw', '\\040', '\\', '0'), { maxLength: 7 }), { maxLength: 5 })
    .map((lines) => lines.map((fields) => fields.join(' ')).join('\n')),
)
const anyFigure = fc.oneof(fc.constantFrom(0, -1, Number.NaN, Infinity), fc.double())
const anyUse = fc.record({
  bytes: anyFigure,
  bytesUsed: anyFigure,
  bytesAvailable: anyFigure,
  inodes: anyFigure,
  inodesFree: anyFigure,
})
const anyOffsets = fc.array(fc.tuple(anyFigure, anyFigure), { maxLength: 8 })

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}

describe.each(builtinDetectors.map((detector): [string, Detector] => [detector.name, detector]))(
  '%s',
  (name, detector) => {
    const options = detector.options.parse({})
    const reasons = Object.entries(detector.reasons)
    // Guarded as in the engine: a detector that touches more than it says fails here.
    const host = (fixture: Fixture) => guardedHost(fixtureHost(`${name}/${fixture}`), detector.touches)
    const sampled = (fixture: Fixture) => detector.sample(host(fixture), options, signal())

    it('has names as people will type and read them', () => {
      expect(name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
      for (const [reason] of reasons) expect(reason).toMatch(/^([A-Z][a-z0-9]+)+$/)
      for (const text of [detector.summary, ...reasons.map(([, { summary }]) => summary)]) {
        expect(text).toMatch(/^[A-Z].*\.$/)
      }
    })

    it('does not take a reason of the engine for its own', () => {
      for (const own of ['Ok', 'ProbeFailed', 'NotApplicable']) expect(Object.keys(detector.reasons)).not.toContain(own)
    })

    it('has time enough to look within its interval', () => {
      expect(durationMs(detector.timeout)).toBeLessThanOrEqual(durationMs(detector.every))
      for (const [, { sustain, clearAfter = sustain }] of reasons) {
        expect(durationMs(sustain)).toBeGreaterThanOrEqual(0)
        expect(durationMs(clearAfter)).toBeLessThanOrEqual(HOLD_MS_MAX)
      }
    })

    it('supersedes only reasons of its own that are milder', () => {
      const order = ['info', 'warn', 'alarm', 'error']
      for (const [, { supersedes, severity }] of reasons) {
        if (supersedes === undefined) continue
        expect(order.indexOf(severity)).toBeGreaterThan(
          order.indexOf(detector.reasons[supersedes]?.severity ?? 'error'),
        )
      }
    })

    it('refuses an option that it does not have', () => {
      expect(detector.options.safeParse({ noSuchOption: 1 }).success).toBe(false)
    })

    it('has a runbook for each reason', async () => {
      for (const [, { runbook }] of reasons) {
        const text = await readFile(new URL(`runbooks/${runbook}.md`, docs), 'utf8')
        for (const part of ['**What it means.**', '**How to look.**', '**What to do.**']) expect(text).toContain(part)
      }
      const texts = await Promise.all(
        reasons.map(([, { runbook }]) => readFile(new URL(`runbooks/${runbook}.md`, docs), 'utf8')),
      )
      for (const [index, [reason]] of reasons.entries()) expect(texts[index]).toContain(`\`${reason}\``)
    })

    it('does not apply to an empty host', async () => {
      const empty = guardedHost(fixtureHost('empty'), detector.touches)
      await expect(detector.sample(empty, options, signal())).rejects.toThrow(NotApplicable)
      await expect(sampled('not-applicable')).rejects.toThrow(NotApplicable)
    })

    it('finds nothing wrong with a host that is well', async () => {
      expect(detector.judge(await sampled('ok'), options, [])).toEqual([])
    })

    // What the mesh measures of peers is there or not; there is nothing in it that could be unreadable.
    const { paths = [], commands = [], services = [] } = detector.touches
    const readings = [...paths, ...commands, ...services]
    if (readings.length > 0) {
      it('does not know what it cannot read: neither fine, nor at fault, nor not applicable', async () => {
        const failure = await sampled('unreadable').then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure).toBeInstanceOf(Error)
        expect(failure).not.toBeInstanceOf(NotApplicable)
      })
    }

    it('does not go on when it has been told to stop', async () => {
      const stopped = AbortSignal.abort(new Error('stopped'))
      await expect(detector.sample(host('bad'), options, stopped)).rejects.toThrow('stopped')
    })

    it('judges by what it is given and nothing else, and leaves that alone', async () => {
      const sample = deepFreeze(await sampled('bad'))
      // What only a difference shows, as of a counter, has the host as it was at the look before.
      const before = existsSync(fixtureRoot(`${name}/before`)) ? deepFreeze(await sampled('before')) : sample
      const first = detector.judge(sample, deepFreeze(detector.options.parse({})), Object.freeze([before]))
      expect(first.length).toBeGreaterThan(0)
      expect(detector.judge(structuredClone(sample), detector.options.parse({}), [before])).toEqual(first)
      for (const judgement of first) {
        expect(judgement.evidence.length).toBeGreaterThan(0)
        expect(judgement.summary).toMatch(/\d/)
      }
    })

    it('survives any content of any file: an answer, not applicable, or an error that says more than "undefined"', () =>
      fc.assert(
        fc.asyncProperty(anyText, anyUse, anyOffsets, async (text, use, offsets) => {
          let sample: unknown
          try {
            sample = await detector.sample(garbageHost(text, use, offsets), options, signal())
          } catch (error) {
            expect(error).not.toBeInstanceOf(TypeError)
            expect((error as Error).message).not.toMatch(/undefined|\[object/)
            return
          }
          const judgements = detector.judge(sample, options, [])
          expect(unknownReason(detector.reasons, judgements)).toBeUndefined()
          for (const { summary } of judgements) expect(summary).not.toMatch(/undefined|NaN/)
        }),
      ))
  },
)

describe('the list of detectors', () => {
  it('has each name and each reason once', () => {
    const names = builtinDetectors.map(({ name }) => name)
    const reasons = builtinDetectors.flatMap((detector) => Object.keys(detector.reasons))
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(reasons).size).toBe(reasons.length)
  })

  it('is what docs/detectors.md says (if not: node scripts/docs.ts)', async () => {
    expect(await readFile(new URL('detectors.md', docs), 'utf8')).toBe(renderCatalogue(builtinDetectors))
  })
})
