/** Mails over SMTP. A connection for each: alerts and reports are few, and a server that went away is no concern of the next. */
import { readFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import { UNPRINTABLE } from '../../common/unprintable.ts'
import type { MailConfig } from './config.ts'
import { type Mail, MailError, type Mailer } from './mailer.ts'
import { readSecret } from './secret.ts'

/** For each step of the talk with the server. */
const STEP_WITHIN_MS = 15_000
const SEND_WITHIN_MS = 60_000
const SUBJECT_CHARS_MAX = 250

export function smtpMailer(config: MailConfig): Mailer {
  return {
    send: async (mail) => {
      const password = await readSecret({ file: config.passwordFile, env: config.passwordEnv }).catch(
        (cause: Error) => {
          throw new MailError(cause.message, false, { cause })
        },
      )
      const transport = createTransport(transportOf(config, password))
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('it takes too long')), SEND_WITHIN_MS)
      })
      try {
        await Promise.race([transport.sendMail(messageOf(config, mail)), late])
      } catch (error) {
        throw mailErrorOf(error, config, password)
      } finally {
        clearTimeout(timer)
        transport.close()
      }
    },
  }
}

function transportOf({ host, port, tls, ca, user }: MailConfig, password: string | undefined) {
  return {
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca === undefined ? {} : { tls: { ca: readFileSync(ca) } }),
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: STEP_WITHIN_MS,
    greetingTimeout: STEP_WITHIN_MS,
    socketTimeout: STEP_WITHIN_MS,
    dnsTimeout: STEP_WITHIN_MS,
    // A mail's text is text: nothing is read from a file or an address that stands in it.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function messageOf({ from }: MailConfig, { to, subject, text, html }: Mail) {
  return {
    from,
    to: [...to],
    subject: subject.toWellFormed().replace(UNPRINTABLE, ' ').slice(0, SUBJECT_CHARS_MAX).toWellFormed(),
    text,
    ...(html === undefined ? {} : { html }),
  }
}

/** Says what the server said, without the password. */
function mailErrorOf(error: unknown, { host, port }: MailConfig, password = ''): MailError {
  const { message, responseCode, code } = error as Error & { responseCode?: number; code?: string }
  const clean = password === '' ? message : message.replaceAll(password, '***')
  // A wrong password is set right; an address that is refused is not.
  const isFinal = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH'
  return new MailError(`${host}:${port}: ${clean.replace(UNPRINTABLE, ' ')}`, isFinal)
}
