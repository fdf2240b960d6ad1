/** Makes of a node's records the events that the recorder would have made, had it heard them when they were said. */
import { decodeReport, isReportTopic } from '../../detectors/engine/report-note.ts'
import type { OutboxRecord } from '../../outbox/record.ts'
import { decodeRemediation, isRemediationTopic } from '../../remediators/notes.ts'
import type { Event } from '../event-model.ts'
import { Recorder, reportFact } from '../recorder.ts'
import { ScratchJournal } from './scratch.ts'

export class Retelling {
  readonly #journal = new ScratchJournal()
  readonly #recorder: Recorder
  #told = 0
  #at = ''

  constructor() {
    this.#recorder = new Recorder(
      this.#journal,
      'retold',
      () => {},
      () => this.#at,
    )
  }

  /** The events of one more record of the same node; `latest`, RFC 3339, is the latest that they can be of. */
  events(record: OutboxRecord, latest: string): readonly Event[] {
    const { node, topic, bytes, at, before } = record
    this.#at = at < latest ? at : latest
    if (isReportTopic(topic)) {
      const detector = topic.slice(topic.indexOf('/') + 1)
      // Each record says by itself what ended with it.
      this.#journal.writeFact(reportFact(node, detector), JSON.stringify(before))
      this.#recorder.report(node, detector, decodeReport(node, topic, bytes))
    } else if (isRemediationTopic(topic)) {
      this.#recorder.remediation(decodeRemediation(node, topic, bytes))
    }
    const events = this.#journal.events.slice(this.#told)
    this.#told = this.#journal.events.length
    return events.filter((event) => event.node === node).map(({ seq: _, ...event }) => event)
  }
}
