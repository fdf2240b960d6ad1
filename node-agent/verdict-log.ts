/** One line of log for each verdict that this node hears of, and for its end; the leader says the same again and again. */
import type { Logger } from '../common/pino-log.ts'
import type { DownNotice } from '../mesh/core/model.ts'

export class VerdictLog {
  readonly #log: Pick<Logger, 'info'>
  /** By subject, so never more than there are nodes. */
  readonly #standing = new Map<string, string>()

  constructor(log: Pick<Logger, 'info'>) {
    this.#log = log
  }

  /** Takes what the leader says; what another node says is not to be given here. */
  hear({ subject, verdict: kind, verdictId, standing }: DownNotice): void {
    if ((this.#standing.get(subject) === verdictId) === standing) return
    if (standing) this.#standing.set(subject, verdictId)
    else this.#standing.delete(subject)
    this.#log.info({ subject, verdict: verdictId, kind }, standing ? 'verdict heard' : 'verdict ended')
  }
}
