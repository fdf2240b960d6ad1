import { expect, test } from 'vitest'
import { blockingAlerts } from '../../../remediators/guards/blocking-alerts.ts'
import { ask, reaching } from './views.ts'

const named = { blockingAlerts: ['EtcdNoLeader', 'IncidentOpen'] }

test('where none is named none blocks, and nobody needs to be asked', () => {
  expect(ask(blockingAlerts, { blockingAlerts: undefined })).toEqual({
    allowed: true,
    why: 'no alert is named as blocking',
  })
})

test('none of them fires', () => {
  expect(ask(blockingAlerts, {}, named)).toEqual({ allowed: true, why: 'none of 2 alerts fires' })
})

test.each(['none', 'process'] as const)('one that fires blocks, for reach %s too', (reach) => {
  expect(ask(blockingAlerts, { blockingAlerts: ['IncidentOpen'], plan: reaching(reach) }, named)).toEqual({
    allowed: false,
    why: '1 of 2 alerts fires: IncidentOpen',
    restMs: 120_000,
  })
})

test('not to know is no leave', () => {
  expect(ask(blockingAlerts, { blockingAlerts: undefined }, named)).toEqual({
    allowed: false,
    why: 'Alertmanager could not be asked about 2 alerts',
    restMs: 120_000,
  })
})
