/** Mails over SMTP. A connection for each: alerts and reports are few, and a server that went away is no concern of the next. */
import { readFile } from 'node:fs/promises'
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
      const password = await readSecret({ file: config.passwordFile, env: config.passwordEnv }).catch(asMailError)
      const authorities = config.ca === undefined ? undefined : await readAuthorities(config.ca)
      const transport = createTransport(transportOf(config, password, authorities))
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

function asMailError(cause: Error): never {
  throw new MailError(cause.message, false, { cause })
}

function readAuthorities(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new MailError(`${file}, the ca of mail, cannot be read (${error.code})`, false, { cause: error })
  })
}

function transportOf({ host, port, tls, user }: MailConfig, password: string | undefined, ca: Buffer | undefined) {
  return {
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca === undefined ? {} : { tls: { ca } }),
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

/** What OpenSSL and nodemailer say, and what helps. */
const REMEDIES: readonly { readonly says: RegExp; readonly tls: MailConfig['tls'][]; readonly remedy: string }[] = [
  {
    says: /unable to (verify the first|get (local )?issuer)|self-signed certificate/,
    tls: ['tls', 'starttls'],
    remedy: 'its certificate is of no authority that is trusted here: name the file of that authority as ca of mail',
  },
  {
    says: /wrong version number/,
    tls: ['tls'],
    remedy: 'it does not begin with TLS: write tls: starttls, or another port',
  },
  {
    says: /Greeting never received/,
    tls: ['starttls', 'none'],
    remedy: 'it says nothing: where it begins with TLS, as port 465 does, write tls: tls',
  },
]

/** Says what the server said, without the password. */
function mailErrorOf(error: unknown, { host, port, tls }: MailConfig, password = ''): MailError {
  const { message, responseCode, code } = error as Error & { responseCode?: number; code?: string }
  const clean = password === '' ? message : message.replaceAll(password, '***')
  // A wrong password is set right; an address that is refused is not.
  const isFinal = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH'
  const known = REMEDIES.find((one) => one.tls.includes(tls) && one.says.test(message))
  return new MailError(`${host}:${port}: ${known?.remedy ?? clean.replace(UNPRINTABLE, ' ')}`, isFinal)
}
