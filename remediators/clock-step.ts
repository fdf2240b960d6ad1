/**
 * Sets the clock right in one step (`chronyc makestep`), where chronyd follows a source that answers and is only on its slow way
 * there: it slews by default, at most 100 ms in a second (maxslewrate of chrony.conf(5)). A step cannot be undone.
 */
import { z } from 'zod'
import { type Host, NotApplicable } from '../detectors/contract.ts'
import { fromChrony } from '../detectors/reading/time-sync.ts'
import { defineRemediator, StalePlan } from './contract.ts'

const CHRONYC = '/usr/bin/chronyc'
/** What is less is slewed within seconds. */
const SMALL_MS = 100
/** A smaller offset needs no step, a larger one within these is the same plan: while it waits the clock is slewed on. */
const BANDS = ['0.1 s', '1 s', '10 s', '100 s', '1000 s'] as const
const WHAT = 'the clock of the host, in one step'
const RIGHT = `within ${SMALL_MS} ms`

export const clockStep = defineRemediator({
  name: 'clock-step',
  summary: 'Sets the clock right in one step, by the source that chronyd follows.',
  handles: ['ClockSkewed', 'ClockFarOff', 'ClockUnusable'],
  reach: 'host',
  risk: 'medium',
  reversible: false,
  loses: 'the wrong time, which some process may have read by then',
  touches: { commands: [CHRONYC] },
  options: z.strictObject({
    maxStep: z
      .int()
      .min(1)
      .default(1_000)
      .describe(
        'Seconds by which the clock may be off; a source that says more is not believed, as ntpd does not (its panic threshold, 1000 s).',
      ),
  }),

  async inspect(host, _finding, { maxStep }, signal): Promise<string> {
    const { ms, said } = await offset(host, signal)
    if (said === RIGHT) throw new NotApplicable(`by chronyd the clock is right within ${SMALL_MS} ms`)
    if (Math.abs(ms) > maxStep * 1_000) throw new Error(`the clock would be stepped by more than ${maxStep} s`)
    return said
  },

  plan(_finding, _options, said) {
    return [{ what: WHAT, before: said, after: RIGHT, undo: '# a step of the clock cannot be undone' }]
  },

  async apply({ changes }, { host }, signal) {
    const { said } = await offset(host, signal)
    if (said === RIGHT) return
    if (changes.some(({ before }) => before !== said)) {
      throw new StalePlan(`the clock is ${said}, and the plan was made for ${changes[0]?.before}`)
    }
    signal.throwIfAborted()
    const { code, stdout, stderr } = await host.run([CHRONYC, 'makestep'], { signal })
    if (code !== 0)
      throw new Error(`chronyc makestep failed (${code ?? 'killed'}): ${(stderr || stdout).slice(0, 200)}`)
    const after = await offset(host, signal)
    if (after.said !== RIGHT) throw new Error(`after the step the clock is ${after.said}`)
  },

  async revert() {
    // The clock was wrong before; whatever came of the step, chronyd goes on from there.
  },
})

/** Of the source that chronyd follows. Throws an Error when it follows none, or none that answers. */
async function offset(host: Host, signal: AbortSignal): Promise<{ readonly ms: number; readonly said: string }> {
  signal.throwIfAborted()
  const sync = await fromChrony(host, signal)
  if (sync === undefined) throw new Error('no chronyd answers here, and nothing else is asked to step the clock')
  if (sync.offset === undefined) throw new Error(`chronyd follows no source: ${sync.why}`)
  const { ms, errorMs, reference } = sync.offset
  // What is set by hand or by the host's own clock would only be believed again.
  if (reference === '' || reference.startsWith('127.127.')) throw new Error('chronyd follows no source but itself')
  if (Math.abs(ms) < SMALL_MS) return { ms, said: RIGHT }
  if (errorMs >= Math.abs(ms)) throw new Error(`what chronyd knows may be wrong by ${Math.ceil(errorMs)} ms`)
  const reached = BANDS.filter((band) => Math.abs(ms) >= Number.parseFloat(band) * 1_000).at(-1)
  return { ms, said: `${ms > 0 ? 'behind' : 'ahead of'} ${reference.slice(0, 100)} by ${reached} or more` }
}
