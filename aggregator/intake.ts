/**
 * Takes in what nodes say. Each write of the journal waits for the disk, some milliseconds of nothing else; reports of
 * detectors come by the thousand when something is wrong with many nodes, and nobody acts on one before it is on record. So
 * those that come while the disk is busy are written in one go. All else is taken in at once, and after what came before it.
 */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { isReportTopic } from '../detectors/engine/report-note.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import { isOfJournal } from './store/refusal.ts'

/** In one go: more would keep a verdict waiting. */
const REPORTS_AT_ONCE = 500

export interface IntakeInit {
  /** What `work` records is on disk when this returns, and told of only then; none of it is there when this throws. */
  together(work: () => void): void
  /** Puts it on record. Throws an Error for what is not what its topic says. */
  hear(signed: SignedStatement): void
  /** It is on record now. */
  heard(signed: SignedStatement): void
  readonly log: Log
}

export class Intake {
  readonly #init: IntakeInit
  #reports: SignedStatement[] = []
  #isDue = false

  constructor(init: IntakeInit) {
    this.#init = init
  }

  take(signed: SignedStatement): void {
    const { body } = signed.statement
    if (body.kind === 'note' && isReportTopic(body.topic)) {
      this.#reports.push(signed)
      if (this.#reports.length >= REPORTS_AT_ONCE) this.flush()
      else if (!this.#isDue) {
        this.#isDue = true
        setImmediate(() => this.flush())
      }
      return
    }
    this.flush()
    this.#alone(signed, () => {
      this.#init.hear(signed)
      this.#init.heard(signed)
    })
  }

  /** Before anything else is put on record that may follow from reports. */
  flush(): void {
    this.#isDue = false
    const reports = this.#reports
    if (reports.length === 0) return
    this.#reports = []
    const { together, hear, heard, log } = this.#init
    const taken: SignedStatement[] = []
    try {
      together(() => {
        for (const signed of reports) {
          this.#inTogether(signed, () => {
            hear(signed)
            taken.push(signed)
          })
        }
      })
    } catch (error) {
      log.warn({ reports: reports.length, err: messageOf(error) }, 'reports dropped')
      return
    }
    for (const signed of taken) this.#alone(signed, () => heard(signed))
  }

  /** What one node says wrongly is its own; what the disk refuses is everybody's. */
  #inTogether(signed: SignedStatement, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (isOfJournal(error)) throw error
      this.#drop(signed, error)
    }
  }

  #alone(signed: SignedStatement, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#drop(signed, error)
    }
  }

  #drop({ statement }: SignedStatement, error: unknown): void {
    this.#init.log.warn({ from: statement.signer, err: messageOf(error) }, 'note dropped')
  }
}
