/** Two aggregators that alert: what each has on record, whom it told, and what it is told of the other's record. */
import { AlertDesk } from '../../../aggregator/alerting/desk.ts'
import type { MemberState, StoredEvent } from '../../../aggregator/model.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { Dispatch } from '../../../aggregator/sinks/dispatch.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { alertingPart } from '../../../settings/alerting.ts'
import { sampleSnapshot } from '../sample-snapshot.ts'
import { SILENT_LOG } from '../serve-sample.ts'
import { T0 } from './samples.ts'

const SETTINGS = alertingPart.parse({ routes: [{ sinks: ['chat'] }] })
const SNAPSHOT = sampleSnapshot((offset) => new Date(T0 + offset * 1_000).toISOString())

export class AlertingSide {
  readonly desk: AlertDesk
  readonly journal = openJournal(':memory:')
  /** As `firing ID`, in their order. */
  readonly told: string[] = []
  leads = true
  /** Of the one node that there is. */
  state: MemberState = 'NodeDown'
  now = T0
  readonly #recorder: Recorder
  readonly #listeners: ((event: StoredEvent) => void)[] = []

  constructor(node: string) {
    this.#recorder = new Recorder(
      this.journal,
      `${node}.1`,
      (event) => {
        for (const listener of this.#listeners) listener(event)
      },
      () => new Date(this.now).toISOString(),
    )
    const chat = {
      notify: async ({ state, incident }: { readonly state: string; readonly incident: { readonly id: string } }) => {
        this.told.push(`${state} ${incident.id}`)
      },
    }
    const { alerts: story } = this.#recorder
    const { journal } = this
    this.desk = new AlertDesk({
      node,
      journal,
      story,
      dispatch: new Dispatch({ sinks: new Map([['chat', chat]]), journal, lost: () => {}, log: SILENT_LOG }),
      snapshot: () => ({
        ...SNAPSHOT,
        members: SNAPSHOT.members.slice(0, 1).map((member) => ({ ...member, node: 'w1', state: this.state })),
        findings: [],
      }),
      subscribe: (listener) => {
        this.#listeners.push(listener)
        return () => {}
      },
      settings: () => SETTINGS,
      leads: () => this.leads,
      measures: { averages: () => [], missing: () => undefined },
      now: () => this.now,
      link: undefined,
      log: SILENT_LOG,
    })
    this.desk.start()
  }

  /** It looks after so many seconds. */
  async after(seconds: number): Promise<void> {
    this.now += seconds * 1_000
    this.desk.look()
    // What is sent is sent by then.
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** All that the other has on record, as a copy. */
  copy({ journal }: AlertingSide): void {
    this.#recorder.copy(journal.query({ limit: 1_000 }), this.leads)
  }

  stop(): void {
    this.desk.stop()
    this.journal.close()
  }
}
