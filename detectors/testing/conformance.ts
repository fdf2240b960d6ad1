/**
 * What every detector must do, whatever it looks at: each that ships with Starling passes these checks, and `starling plugin
 * test` holds a plugin to them. Needs no test framework: a check is a name and a function that throws.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { durationMs } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { type Detector, type Host, NotApplicable, OWN_REASONS, SEVERITIES } from '../contract.ts'
import { boundJudgement, JUDGEMENTS_MAX } from '../engine/bounds.ts'
import { HOLD_MS_MAX } from '../engine/flaps.ts'
import { unknownReason } from '../engine/track.ts'
import { guardedHost } from '../host/guarded.ts'
import { fixtureHost } from './fixture-host.ts'
import { holds } from './holds.ts'
import { anyOffsets, anyText, anyUse, brokenHost, garbageHost, slowHost } from './noise.ts'
import { steadinessChecks } from './steadiness.ts'

export interface Check {
  readonly name: string
  /** Rejects with what is wrong. */
  run(): Promise<void>
}

/**
 * Recorded hosts of a detector: one where all is well, one with its fault, and, where it tells a fault by what changed, that one
 * at the look before. Those without the thing that it looks at, and where that cannot be read, are made up unless recorded.
 */
export type Recorded = 'ok' | 'bad' | 'before' | 'not-applicable' | 'unreadable'

export interface ConformanceOptions {
  /** Of what is made up at random; the same seed, the same checks. */
  readonly seed?: number
}

/** Recorded hosts answer at once: a detector that does not end, or stop, within this is stuck. Real time, ms. */
const ENDS_WITHIN_MS = 10_000

/** `folder` holds the recorded hosts, a folder each. Without `ok` and `bad` there is one check, which fails and says so. */
export function conformance(given: Detector, folder: string, { seed }: ConformanceOptions = {}): readonly Check[] {
  const lacking = ['ok', 'bad'].map((name) => join(folder, name)).find((host) => !existsSync(host))
  if (lacking !== undefined) return [lackingHost(lacking)]
  const detector = ending(given)
  const options = detector.options.parse({})
  const reasons = Object.entries(detector.reasons)
  const isRecorded = (name: Recorded) => existsSync(join(folder, name))
  const recorded = (name: Recorded): Host => fixtureHost(join(folder, name))
  // Guarded as in the engine: a detector that touches more than it says fails here.
  const sample = async (host: Host, signal = new AbortController().signal) =>
    detector.sample(guardedHost(host, detector.touches), options, signal)
  const failure = (sampling: Promise<unknown>): Promise<unknown> =>
    sampling.then(
      () => undefined,
      (error: unknown) => error,
    )

  return [
    {
      name: 'has names and sentences as people will type and read them',
      run: async () => {
        assert.match(detector.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
        for (const [reason] of reasons) assert.match(reason, /^([A-Z][a-z0-9]+)+$/)
        for (const text of [detector.summary, ...reasons.map(([, { summary }]) => summary)]) {
          assert.match(text, /^[A-Z].*\.$/s, 'a summary is a sentence: a capital first, a full stop last')
        }
      },
    },
    {
      name: "does not take a reason of the engine's for its own",
      run: async () => {
        for (const own of OWN_REASONS) {
          assert.ok(!Object.hasOwn(detector.reasons, own), `${own} is the engine's`)
        }
      },
    },
    {
      name: 'has time enough to look within its interval',
      run: async () => {
        assert.ok(
          durationMs(detector.timeout) <= durationMs(detector.every),
          `a timeout of ${detector.timeout} is longer than every ${detector.every}`,
        )
        for (const [reason, { sustain, clearAfter = sustain }] of reasons) {
          assert.ok(durationMs(clearAfter) <= HOLD_MS_MAX, `${reason} is held for longer than 30m after it was over`)
        }
      },
    },
    {
      name: 'supersedes only reasons of its own that are milder',
      run: async () => {
        for (const [reason, { supersedes, severity }] of reasons) {
          if (supersedes === undefined) continue
          const milder = detector.reasons[supersedes]
          assert.ok(milder !== undefined, `${reason} supersedes ${supersedes}, which is no reason of this detector`)
          assert.ok(
            SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(milder.severity),
            `${reason} is no worse than ${supersedes}, which it supersedes`,
          )
        }
      },
    },
    {
      name: 'refuses an option that it does not have',
      run: async () => {
        assert.equal(detector.options.safeParse({ noSuchOption: 1 }).success, false, 'use z.strictObject')
      },
    },
    {
      name: 'does not apply to an empty host',
      run: async () => {
        const hosts = [fixtureHost(join(folder, 'no-such-host'))]
        if (isRecorded('not-applicable')) hosts.push(recorded('not-applicable'))
        for (const host of hosts) {
          const answer = await failure(sample(host))
          assert.ok(answer instanceof NotApplicable, `it should throw NotApplicable, not ${said(answer)}`)
        }
      },
    },
    {
      name: 'finds nothing wrong with a host that is well',
      run: async () => assert.deepEqual(detector.judge(await sample(recorded('ok')), options, []), []),
    },
    {
      name: 'does not know what it cannot read: neither fine, nor at fault, nor not applicable',
      run: async () => {
        const { peers = false } = detector.touches
        // What the mesh measures of peers is known whatever is broken here, and may be enough.
        const hosts = peers ? [] : [brokenHost(recorded('bad'))]
        if (isRecorded('unreadable')) hosts.push(recorded('unreadable'))
        for (const host of hosts) {
          const answer = await failure(sample(host))
          assert.ok(
            answer instanceof Error && !(answer instanceof NotApplicable),
            `it should throw what went wrong, not ${said(answer)}`,
          )
        }
      },
    },
    {
      name: 'does not begin when it has been told to stop',
      run: async () => {
        const stopped = new Error('stopped')
        const answer = await failure(sample(recorded('bad'), AbortSignal.abort(stopped)))
        assert.equal(answer, stopped, 'begin sample with signal.throwIfAborted()')
      },
    },
    {
      name: 'stops when it is told to while a service or a program keeps it waiting',
      run: async () => {
        const abort = new AbortController()
        // Later, as the engine does it, and not while the call is being made.
        const host = slowHost(recorded('bad'), () => void setImmediate(() => abort.abort(new Error('stopped'))))
        const sampling = given.sample(guardedHost(host, given.touches), options, abort.signal)
        const answer = await failure(withinTime(sampling, () => new NotApplicable('it goes on')))
        if (!abort.signal.aborted) return
        assert.ok(answer instanceof Error, 'it was told to stop, and took that for an answer')
        assert.ok(!(answer instanceof NotApplicable), 'it was told to stop, and took that for not applicable')
      },
    },
    {
      name: 'judges by what it is given and nothing else, and leaves that alone',
      run: async () => {
        const given = deepFreeze(await sample(recorded('bad')))
        // What only a difference shows, as of a counter, has the host as it was at the look before.
        const before = isRecorded('before') ? deepFreeze(await sample(recorded('before'))) : given
        const frozen = deepFreeze(detector.options.parse({}))
        const first = detector.judge(given, frozen, Object.freeze([before]))
        assert.ok(first.length > 0, 'it finds nothing wrong with the host that is recorded as bad')
        assert.deepEqual(detector.judge(structuredClone(given), detector.options.parse({}), [before]), first)
        for (const { evidence, summary } of first) {
          assert.ok(evidence.length > 0, 'a judgement without evidence')
          assert.match(summary, /\d/, 'a summary has the figures in it')
        }
      },
    },
    {
      name: 'stays within what a finding may hold',
      run: async () => {
        const given = await sample(recorded('bad'))
        const before = isRecorded('before') ? await sample(recorded('before')) : given
        const judgements = detector.judge(given, options, [before])
        assert.ok(judgements.length <= JUDGEMENTS_MAX, `${judgements.length} judgements, more than ${JUDGEMENTS_MAX}`)
        for (const judgement of judgements) {
          assert.deepEqual(boundJudgement(judgement), { cause: '', ...judgement }, 'something in it is too long')
        }
      },
    },
    {
      name: 'survives any content of any file: an answer, not applicable, or an error that says more than "undefined"',
      run: () =>
        holds(
          fc.asyncProperty(anyText, anyUse, anyOffsets, async (text, use, offsets) => {
            let given: unknown
            try {
              given = await detector.sample(garbageHost(text, use, offsets), options, new AbortController().signal)
            } catch (error) {
              assert.ok(!(error instanceof TypeError), messageOf(error))
              assert.doesNotMatch(messageOf(error), /undefined|\[object/)
              return
            }
            const judgements = detector.judge(given, options, [])
            assert.equal(unknownReason(detector.reasons, judgements), undefined)
            for (const { summary } of judgements) assert.doesNotMatch(summary, /undefined|NaN/)
          }),
          seed === undefined ? {} : { seed },
        ),
    },
    ...steadinessChecks(detector, { recorded, hasBefore: isRecorded('before'), seed }),
  ]
}

function lackingHost(host: string): Check {
  return {
    name: 'has a recorded host that is well, and one with its fault',
    run: async () => {
      assert.fail(
        `there is no ${host}\nstarling plugin record NAME --here --out FOLDER records one; break a copy of it for bad`,
      )
    },
  }
}

/** `detector`, but that looking for ever is an error, and it is not tried again. */
function ending(detector: Detector): Detector {
  const stuck = () => new Error(`sample goes on after ${ENDS_WITHIN_MS / 1_000} s, with a host that answers at once`)
  let isStuck = false
  return {
    ...detector,
    sample: async (host, options, signal) => {
      if (isStuck) throw stuck()
      return withinTime(detector.sample(host, options, signal), () => {
        isStuck = true
        return stuck()
      })
    },
    judge: (sample, options, past) => detector.judge(sample, options, past),
  }
}

function withinTime<T>(work: Promise<T>, late: () => Error): Promise<T> {
  const tooLate = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), ENDS_WITHIN_MS)
    void work.catch(() => {}).finally(() => clearTimeout(timer))
  })
  return Promise.race([work, tooLate])
}

function said(answer: unknown): string {
  if (answer === undefined) return 'answer'
  return answer instanceof Error ? `${answer.name}: ${answer.message}` : String(answer)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
