import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clockSkew } from '../../detectors/clock-skew.ts'
import { NotApplicable } from '../../detectors/contract.ts'
import { clockStep } from '../../remediators/clock-step.ts'
import { makePlan } from '../../remediators/plan.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { CHRONY, FAR_OFF, offsetFile } from './cases/clock-step.ts'
import { at, fixture } from './parts.ts'

const signal = new AbortController().signal

let scratch: ScratchHost
beforeEach(async () => {
  scratch = await scratchHost(fixture('clock-step'), CHRONY)
})
afterEach(() => scratch.remove())

const setOffset = (text: string) => writeFile(offsetFile(scratch.root), text)

async function planned(options: unknown = {}) {
  const parsed = clockStep.options.parse(options)
  const seen = await clockStep.inspect?.(scratch.host, FAR_OFF, parsed, signal)
  if (seen === undefined) throw new Error('it looks at the host')
  return makePlan(clockStep, FAR_OFF, clockStep.plan(FAR_OFF, parsed, seen) ?? [], at(0).wall)
}

describe('a step of the clock', () => {
  it.each([
    ['0.100000', 'behind 192.0.2.1 by 0.1 s or more'],
    ['3.000000', 'behind 192.0.2.1 by 1 s or more'],
    ['9.900000', 'behind 192.0.2.1 by 1 s or more'],
    ['-59.000000', 'ahead of 192.0.2.1 by 10 s or more'],
  ])('of %s s is one plan while the clock is slewed', async (seconds, before) => {
    await setOffset(seconds)
    expect((await planned()).changes).toEqual([
      {
        what: 'the clock of the host, in one step',
        before,
        after: 'within 100 ms',
        undo: '# a step of the clock cannot be undone',
      },
    ])
  })

  it('is not done when the clock has come right by itself since', async () => {
    const plan = await planned()
    await setOffset('0.020000')
    await clockStep.apply(plan, scratch.control(clockStep.touches), signal)
    expect(await readFile(offsetFile(scratch.root), 'utf8')).toBe('0.020000')
  })

  it('fails when the clock is as wrong afterwards', async () => {
    const plan = await planned()
    const control = scratch.control(clockStep.touches)
    const run: typeof control.host.run = async (command, options) =>
      command.includes('makestep')
        ? { code: 0, signal: null, stdout: '200 OK\n', stderr: '', truncated: false }
        : control.host.run(command, options)
    await expect(clockStep.apply(plan, { ...control, host: { ...control.host, run } }, signal)).rejects.toThrow(
      'after the step the clock is behind 192.0.2.1 by 1 s or more',
    )
  })

  it.each([
    ['none', 'chronyd follows no source'],
    ['3.000000 127.127.1.1', 'chronyd follows no source but itself'],
    ['3.000000 ', 'chronyd follows no source but itself'],
    ['1000.500000', 'more than 1000 s'],
    ['later', 'chronyc tracking answered'],
  ])('is refused when chronyd says %j', async (said, why) => {
    const plan = await planned()
    await setOffset(said)
    await expect(planned()).rejects.toThrow(why)
    await expect(clockStep.apply(plan, scratch.control(clockStep.touches), signal)).rejects.toThrow()
    expect(await readFile(offsetFile(scratch.root), 'utf8')).toBe(said)
  })

  it('is none where chronyd says that the clock is right', async () => {
    await setOffset('0.090000')
    await expect(planned()).rejects.toThrow(NotApplicable)
  })

  it('is refused where no chronyd answers', async () => {
    await scratch.remove()
    scratch = await scratchHost(fixture('clock-step'))
    await expect(planned()).rejects.toThrow('no chronyd answers here')
  })
})

it('handles what clock-skew finds, and no other', () => {
  expect(Object.keys(clockSkew.reasons)).toEqual(clockStep.handles)
})

it.each([{ maxStep: 0 }, { maxStep: 1.5 }])('refuses the option %j', (options) =>
  expect(clockStep.options.safeParse(options).success).toBe(false),
)
