/** Alerts by mail. */
import { factsOf, headOf, linesOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { MailError, type Mailer } from './mailer.ts'
import { type Sink, SinkError } from './sink.ts'

const LINES_MAX = 100

export function mailSink({ to }: Extract<SinkConfig, { kind: 'mail' }>, mailer: Mailer): Sink {
  return {
    notify: async (notification) => {
      const facts = factsOf(notification).map(([name, value]) => `${name}: ${value}`)
      const text = [headOf(notification), '', ...linesOf(notification, LINES_MAX), '', ...facts, ''].join('\n')
      await mailer.send({ to, subject: headOf(notification), text }).catch((error: unknown) => {
        throw error instanceof MailError ? new SinkError(error.message, { isFinal: error.isFinal }) : error
      })
    },
  }
}
