/** The sinks of a configuration, each of its kind. */
import { alertmanagerSink } from './alertmanager.ts'
import { cloudeventsSink } from './cloudevents.ts'
import type { MailConfig, SinkConfig } from './config.ts'
import { smtpMailer } from './mail.ts'
import { mailSink } from './mail-alerts.ts'
import { MailError, type Mailer } from './mailer.ts'
import { pagerdutySink } from './pagerduty.ts'
import type { Sink } from './sink.ts'
import { slackSink } from './slack.ts'
import { webhookSink } from './webhook.ts'
import { wecomSink } from './wecom.ts'

/** By name. Without `mail` a sink of that kind refuses all that it is told. */
export function makeSinks(
  sinks: Readonly<Record<string, SinkConfig>>,
  mail: MailConfig | undefined,
): ReadonlyMap<string, Sink> {
  const mailer = mail === undefined ? NO_MAILER : smtpMailer(mail)
  return new Map(Object.entries(sinks).map(([name, config]) => [name, makeSink(name, config, mailer)]))
}

function makeSink(name: string, config: SinkConfig, mailer: Mailer): Sink {
  switch (config.kind) {
    case 'alertmanager':
      return alertmanagerSink(config)
    case 'webhook':
      return webhookSink(name, config)
    case 'cloudevents':
      return cloudeventsSink(config)
    case 'slack':
      return slackSink(config)
    case 'wecom':
      return wecomSink(config)
    case 'pagerduty':
      return pagerdutySink(config)
    case 'mail':
      return mailSink(config, mailer)
  }
}

const NO_MAILER: Mailer = {
  send: async () => {
    throw new MailError('the configuration names no mail server: it has no part `mail`', true)
  },
}
