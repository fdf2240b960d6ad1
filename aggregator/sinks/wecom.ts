/** Robots of WeCom's groups (企业微信群机器人), and what takes the same. A message holds at most 4,096 bytes. */
import { z } from 'zod'
import type { Notification } from '../alerting/model.ts'
import { factsOf, headOf, linesOf } from '../alerting/texts.ts'
import type { SinkConfig } from './config.ts'
import { post } from './http.ts'
import { type Sink, SinkError } from './sink.ts'

const BYTES_MAX = 4_096
const LINES_MAX = 30
/** "api freq out of limit": it takes twenty a minute. */
const TOO_MANY = 45_009
const TOO_MANY_WAIT_MS = 60_000

/** It answers 200 whatever happens. */
const answer = z.object({ errcode: z.number(), errmsg: z.string().default('') })

export function wecomSink({ url, urlFile, urlEnv }: Extract<SinkConfig, { kind: 'wecom' }>): Sink {
  return {
    notify: async (notification, signal) => {
      const body = { msgtype: 'markdown', markdown: { content: wecomText(notification) } }
      const text = await post({ address: { value: url, file: urlFile, env: urlEnv }, body, signal })
      const { success, data } = answer.safeParse(jsonOf(text))
      if (!success) throw new SinkError('what answers is not WeCom')
      if (data.errcode === 0) return
      const message = `WeCom refuses it (errcode ${data.errcode})`
      if (data.errcode === TOO_MANY) throw new SinkError(message, { retryAfterMs: TOO_MANY_WAIT_MS })
      throw new SinkError(message, { isFinal: true })
    },
  }
}

/** Head and facts whole, and as many of the lines as there is room for. */
export function wecomText(notification: Notification): string {
  const facts = factsOf(notification).map(
    ([name, value]) => `<font color="comment">${escaped(name)}: ${escaped(value)}</font>`,
  )
  const head = cut(`**${escaped(headOf(notification))}**`, BYTES_MAX / 4)
  const tail = cut(facts.join('\n'), BYTES_MAX / 2)
  let room = BYTES_MAX - Buffer.byteLength(head) - Buffer.byteLength(tail) - 2
  const lines: string[] = []
  for (const line of linesOf(notification, LINES_MAX)) {
    const text = `> ${escaped(line)}`
    room -= Buffer.byteLength(text) + 1
    if (room < 8) {
      lines.push('> …')
      break
    }
    lines.push(text)
  }
  return [head, ...lines, tail].join('\n')
}

/** Its markdown has colours as tags, and links, and no way to write their marks otherwise. */
function escaped(text: string): string {
  return text
    .replaceAll('<', '‹')
    .replaceAll('>', '›')
    .replaceAll('[', '【')
    .replaceAll(']', '】')
    .replace(/[`*]/g, ' ')
}

/** No character is cut in two. */
function cut(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= bytesMax) return text
  return `${bytes
    .subarray(0, bytesMax - 3)
    .toString()
    .replace(/\ufffd+$/, '')}…`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
