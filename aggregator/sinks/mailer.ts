/** Mail, as reports and alerts send it: what a mail is, and who takes it from there. */

export interface Mail {
  /** Addresses; each of them sees the others. */
  readonly to: readonly string[]
  /** One line; what else would end a header is taken out by who sends it. */
  readonly subject: string
  readonly text: string
  /** The same for those who would rather look at it. */
  readonly html?: string
}

export interface Mailer {
  /** Resolves when a server has taken the mail. Rejects with MailError otherwise. */
  send(mail: Mail): Promise<void>
}

/** A server would not take a mail. */
export class MailError extends Error {
  override readonly name = 'MailError'
  /** It would not take it later either: an address or a mail that it refuses for good (SMTP 5xx). */
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean, options?: ErrorOptions) {
    super(message, options)
    this.isFinal = isFinal
  }
}
