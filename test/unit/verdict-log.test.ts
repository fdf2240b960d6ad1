import { expect, it } from 'vitest'
import type { DownNotice } from '../../mesh/core/model.ts'
import { VerdictLog } from '../../node-agent/verdict-log.ts'

it('tells of each verdict once, of its end once, and of nothing that it never heard began', () => {
  const told: unknown[] = []
  const log = new VerdictLog({ info: (fields: object, text?: string) => told.push([text, fields]) })
  const say = (subject: string, verdictId: string, standing: boolean) => {
    const incarnation = { serial: 1, boot: 1, refutations: 0 }
    const notice: DownNotice = {
      kind: 'down',
      subject,
      incarnation,
      verdict: 'NodeDown',
      verdictId,
      standing,
      latest: incarnation,
      recoverBeats: 3,
      heard: false,
    }
    log.hear(notice)
    log.hear(notice)
  }
  say('node-1', 'v0', false)
  say('node-1', 'v1', true)
  say('node-2', 'v2', true)
  say('node-1', 'v0', false)
  say('node-1', 'v1', false)
  say('node-1', 'v3', true)
  const line = (text: string, subject: string, verdict: string) => [text, { subject, verdict, kind: 'NodeDown' }]
  expect(told).toEqual([
    line('verdict heard', 'node-1', 'v1'),
    line('verdict heard', 'node-2', 'v2'),
    line('verdict ended', 'node-1', 'v1'),
    line('verdict heard', 'node-1', 'v3'),
  ])
})
