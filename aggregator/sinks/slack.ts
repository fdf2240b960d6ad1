/** Slack, and what takes the same webhooks, such as Mattermost. */

import type { Notification } from '../alerting/model.ts'
import { factsOf, headOf, linesOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import type { Sink } from './sink.ts'

const LINES_MAX = 20

export function slackSink({ url, urlFile, urlEnv }: Extract<SinkConfig, { kind: 'slack' }>): Sink {
  return {
    notify: async (notification, signal) => {
      await post({
        address: { value: url, file: urlFile, env: urlEnv },
        body: { text: slackText(notification) },
        signal,
      })
    },
  }
}

/** In Slack's mrkdwn, where these three characters are written so (its documentation, "Escaping text"). */
export function slackText(notification: Notification): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const facts = factsOf(notification).map(([name, value]) => `${name}: ${value}`)
  // A star or a tick of a node's own only changes how it looks.
  return [
    `*${escaped(headOf(notification)).replaceAll('*', '∗')}*`,
    ...linesOf(notification, LINES_MAX).map((line) => `• ${escaped(line)}`),
    ...facts.map(escaped),
  ].join('\n')
}
