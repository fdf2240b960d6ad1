/** Alerts of the sample mesh, of which one sink is told and another takes nothing; there is a silence, too. */
import { AlertDesk } from '../../../aggregator/alerting/desk.ts'
import { ForeignAlerts } from '../../../aggregator/alerting/foreign-desk.ts'
import type { AlertRoutesInit } from '../../../aggregator/alerting/routes.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { Dispatch } from '../../../aggregator/sinks/dispatch.ts'
import { type Sink, SinkError } from '../../../aggregator/sinks/sink.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { alertingPart } from '../../../settings/alerting.ts'
import type { SamplePort } from '../sample-port.ts'
import { notification } from './samples.ts'

const GATHERED_MS = 60_000

const chat: Sink = { notify: async () => {} }
const broken: Sink = {
  async notify() {
    throw new SinkError('no such hook', { isFinal: true })
  },
}

export function sampleAlerting({ snapshot }: Pick<SamplePort, 'snapshot'>): AlertRoutesInit {
  const journal = openJournal(':memory:')
  const { alerts: story } = new Recorder(journal, 'aggregator.1', () => {})
  const dead = [{ id: 'dead-1', sink: 'broken', why: 'no such hook', at: '2026-03-14T09:00:00.000Z' }]
  journal.writeFact('alerting/dead', JSON.stringify(dead.map((one) => ({ ...one, notification: notification() }))))
  const dispatch = new Dispatch({
    sinks: new Map(Object.entries({ chat, broken })),
    journal,
    lost: (letter) => story.lost(letter),
    log: silentLog,
  })
  const settings = alertingPart.parse({ routes: [{ sinks: ['chat'], language: 'zh' }] })
  let behindMs = GATHERED_MS
  const desk = new AlertDesk({
    node: 'aggregator',
    journal,
    story,
    dispatch,
    snapshot,
    subscribe: () => () => {},
    settings: () => settings,
    leads: () => true,
    measures: { averages: () => [], missing: () => undefined },
    now: () => Date.now() - behindMs,
    link: undefined,
    log: silentLog,
  })
  desk.look()
  behindMs = 0
  const from = Date.now()
  desk.silence({
    match: { reasons: ['HostHung'] },
    author: 'ada',
    reason: 'it is being rewired',
    from,
    until: from + 3_600_000,
  })
  const foreign = new ForeignAlerts(journal)
  return { desk, dispatch, foreign, story, snapshot, mesh: 'sample-mesh', link: undefined }
}
