/** A real SMTP server that keeps what it is sent, decoded, and refuses what it is told to. */
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import { decodeMail, type ReceivedMail } from './mime.ts'

export interface Receipt extends ReceivedMail {
  /** Of the envelope. */
  readonly from: string
  readonly to: readonly string[]
  readonly user: string | undefined
  readonly isEncrypted: boolean
}

export interface SmtpInit {
  /** Who must log in, before anything is taken. */
  readonly login?: { readonly user: string; readonly password: string }
  /** Offers STARTTLS, or speaks TLS from the first byte, with this certificate; in the clear without. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer; readonly fromFirstByte: boolean }
}

export class SmtpReceiver {
  /** In the order in which they came. */
  readonly mails: Receipt[] = []
  /** How many mails it was offered, those that it refused too. */
  offered = 0
  readonly #server: SMTPServer
  readonly #refusals: number[] = []

  private constructor({ login, tls }: SmtpInit) {
    this.#server = new SMTPServer({
      ...(tls === undefined
        ? { disabledCommands: ['STARTTLS'] }
        : { key: tls.key, cert: tls.cert, secure: tls.fromFirstByte }),
      authOptional: login === undefined,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, answer) => {
        const isKnown = username === login?.user && password === login?.password
        answer(isKnown ? null : smtpError(535), isKnown ? { user: username } : undefined)
      },
      onData: (stream, { envelope, user, secure }, answer) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          this.offered += 1
          const refusal = this.#refusals.shift()
          if (refusal !== undefined) return answer(smtpError(refusal))
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
          const to = envelope.rcptTo.map(({ address }) => address)
          this.mails.push({ ...decodeMail(Buffer.concat(chunks)), from, to, user, isEncrypted: secure })
          answer()
        })
      },
    })
  }

  /** Resolves when it listens, on a free port of the loopback interface. */
  static start(init: SmtpInit = {}): Promise<SmtpReceiver> {
    const receiver = new SmtpReceiver(init)
    return new Promise((resolve, reject) => {
      receiver.#server.once('error', reject)
      receiver.#server.listen(0, '127.0.0.1', () => {
        // Later ones are a client's: it hung up, or sent nonsense.
        receiver.#server.off('error', reject).on('error', () => {})
        resolve(receiver)
      })
    })
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  /** The next mails are answered with these codes, 4xx or 5xx, one each. */
  refuseNext(...codes: readonly number[]): void {
    this.#refusals.push(...codes)
  }

  /** Resolves when it has taken `count` mails in all. */
  async until(count: number, withinMs = 60_000): Promise<readonly Receipt[]> {
    const deadline = performance.now() + withinMs
    while (this.mails.length < count) {
      if (performance.now() > deadline) throw new Error(`${this.mails.length} of ${count} mails came`)
      await wait(20)
    }
    return this.mails
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

function smtpError(responseCode: number): Error {
  const words = responseCode < 500 ? 'try again later' : 'no'
  return Object.assign(new Error(words), { responseCode })
}
