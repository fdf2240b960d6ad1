/** The checks of conformance.ts that take more than one look: a fault is told of, ends when it is over, and does not flap. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { durationMs } from '../../common/duration.ts'
import type { Detector, Finding, Host } from '../contract.ts'
import { holds } from './holds.ts'
import { brokenHost, reorderedHost } from './noise.ts'
import { type Watch, watch } from './watch.ts'

export interface SteadinessInit {
  readonly recorded: (name: 'ok' | 'bad' | 'before') => Host
  readonly hasBefore: boolean
  readonly seed: number | undefined
}

/** As many samples as `judge` is given; whoever remembers more than that does so in vain. */
const PAST_MAX = 10
/** Sequences of looks that are tried. */
const RUNS = 20
const LOOKS_MAX = 8

/** What a look meets: the host with its folders in another order, or one that cannot be read at all. */
const noise = fc.array(fc.oneof(fc.nat({ max: 7 }), fc.constant('broken' as const)), {
  minLength: 1,
  maxLength: LOOKS_MAX,
})

export function steadinessChecks(detector: Detector, { recorded, hasBefore, seed }: SteadinessInit) {
  const parameters = { numRuns: RUNS, ...(seed === undefined ? {} : { seed }) }
  return [
    {
      name: 'says when a fault is over',
      run: () =>
        watching(detector, recorded('ok').node, async (watched) => {
          const told = await untilTold(detector, watched, recorded, hasBefore)
          assert.ok(isFault(told), `of the host that is recorded as bad it says ${saidIn(told)}`)
          for (let look = 0; look <= PAST_MAX; look++) {
            const { reported } = await watched.look(recorded('ok'))
            if (reported.every(({ reason }) => reason === 'Ok')) return
          }
          assert.fail(`the fault is over for ${PAST_MAX + 1} looks, and is told of still`)
        }),
    },
    {
      name: 'says nothing of a host that is well, in whatever order it is read',
      run: () =>
        holds(
          fc.asyncProperty(noise, (looks) =>
            watching(detector, recorded('ok').node, async (watched) => {
              for (const kind of looks) {
                const { seen } = await watched.look(disturbed(recorded('ok'), kind))
                const fine = kind === 'broken' ? ['ProbeFailed', 'Ok', 'NotApplicable'] : ['Ok']
                assert.ok(
                  seen.every(({ reason }) => fine.includes(reason)),
                  `it says ${saidIn(seen)}`,
                )
              }
            }),
          ),
          parameters,
        ),
    },
    {
      name: 'does not flap: the same fault is the same finding, through looks that fail and in whatever order it is read',
      run: async () => {
        // A fault that is seen by what changed is over when nothing changes.
        if (hasBefore) return
        await holds(
          fc.asyncProperty(noise, (looks) =>
            watching(detector, recorded('ok').node, async (watched) => {
              await untilTold(detector, watched, recorded, hasBefore)
              const first = idsIn((await watched.look(recorded('bad'))).reported)
              for (const kind of looks) {
                const { reported } = await watched.look(disturbed(recorded('bad'), kind))
                if (kind !== 'broken') assert.deepEqual(idsIn(reported), first)
              }
            }),
          ),
          parameters,
        )
      },
    },
  ]
}

/** Looks at the bad host for as long as its reasons want to be sustained. Returns what is said of it then. */
async function untilTold(
  detector: Detector,
  watched: Watch,
  recorded: SteadinessInit['recorded'],
  hasBefore: boolean,
): Promise<readonly Finding[]> {
  if (hasBefore) {
    await watched.look(recorded('before'))
    return (await watched.look(recorded('bad'))).seen
  }
  const sustainMs = Math.max(...Object.values(detector.reasons).map(({ sustain }) => durationMs(sustain)))
  const looks = Math.ceil(sustainMs / durationMs(detector.every)) + 1
  let told: readonly Finding[] = []
  for (let look = 0; look < looks; look++) told = (await watched.look(recorded('bad'))).reported
  return told
}

async function watching(detector: Detector, node: string, work: (watched: Watch) => Promise<void>): Promise<void> {
  const watched = watch(detector, node)
  try {
    await work(watched)
  } finally {
    watched.stop()
  }
}

function disturbed(host: Host, kind: number | 'broken'): Host {
  return kind === 'broken' ? brokenHost(host) : reorderedHost(host, kind)
}

const saidIn = (findings: readonly Finding[]) =>
  findings.map(({ reason, summary }) => `${reason}: ${summary}`).join(', ')
const idsIn = (findings: readonly Finding[]) => findings.map(({ id }) => id).toSorted()
const isFault = (findings: readonly Finding[]) =>
  findings.some(({ status }) => !['ok', 'unknown', 'not-applicable'].includes(status))
