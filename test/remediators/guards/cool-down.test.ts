import { expect, test } from 'vitest'
import { coolDown } from '../../../remediators/guards/cool-down.ts'
import { ask, endedOf, MINUTE_MS, NOW_MS, reaching } from './views.ts'

const ago = (ms: number) => ({ atMs: NOW_MS - ms })

test('one that has done nothing yet is rested', () => {
  expect(ask(coolDown)).toEqual({ allowed: true, why: 'restart-unit rests for 10m on node-1, and has rested' })
})

test('it rests for exactly as long as settings say', () => {
  expect(ask(coolDown, { ended: [endedOf(ago(4 * MINUTE_MS))] })).toEqual({
    allowed: false,
    why: 'restart-unit rests for 10m on node-1: 6m are left',
    restMs: 6 * MINUTE_MS,
  })
  expect(ask(coolDown, { ended: [endedOf(ago(10 * MINUTE_MS - 1))] })).toMatchObject({ allowed: false, restMs: 1 })
  expect(ask(coolDown, { ended: [endedOf(ago(10 * MINUTE_MS))] })).toMatchObject({ allowed: true })
  expect(ask(coolDown, { ended: [endedOf(ago(0))] }, { coolDown: '0s' })).toMatchObject({ allowed: true })
})

test('the last of several counts', () => {
  const ended = [endedOf(ago(MINUTE_MS)), endedOf(ago(30 * MINUTE_MS))]
  expect(ask(coolDown, { ended })).toMatchObject({ allowed: false, restMs: 9 * MINUTE_MS })
})

test.each([
  ['for another fault too', { reason: 'RuntimeDown' }, 'process', false],
  ['on another node not', { node: 'node-2' }, 'process', true],
  ['another remediator not', { remediator: 'disk-clean' }, 'process', true],
  ['what was withdrawn did nothing', { phase: 'withdrawn' }, 'process', true],
  ['of reach none for the same fault', {}, 'none', false],
  ['of reach none for another fault not', { cause: 'vm.swappiness' }, 'none', true],
] as const)('%s', (_, parts, reach, allowed) => {
  const ended = [endedOf({ ...ago(MINUTE_MS), ...parts })]
  expect(ask(coolDown, { ended, plan: reaching(reach) })).toMatchObject({ allowed })
})
