import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../aggregator/model.ts'
import { causalTree } from '../../cli/causal-tree.ts'
import { readEventStream, type StreamMessage } from '../../cli/event-stream.ts'
import { table } from '../../cli/table.ts'
import { localTime, printable } from '../../cli/text.ts'
import { event } from '../aggregator/event.ts'

describe('a table', () => {
  it('aligns its columns, wide or empty, and leaves no space at the end', () => {
    expect(
      table(
        ['NAME', 'N', 'LAST'],
        [
          ['a', '1000', ''],
          ['längere', { text: '1', style: 'red' }, 'end'],
        ],
      ),
    ).toBe('NAME     N     LAST\na        1000  -\nlängere  1     end\n')
  })

  describe('in a terminal', () => {
    const rows = [
      ['mail-queue', 'lacks CAP_SYS_PTRACE', 'How full the queue of mails is.'],
      ['b', 'ready', { text: 'red and long enough', style: 'red' as const }],
    ]
    const fitted = (room: number) => table(['NAME', 'STATE', 'WHAT'], rows, room)

    it.each([80, 65, 64, 50, 40, 30])('of %d columns has its names whole and no longer line', (room) => {
      const lines = fitted(room).trimEnd().split('\n')
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(room)
      expect(lines[1]).toMatch(/^mail-queue {2}lacks/)
    })

    it('shortens what is widest first, and says so', () => {
      expect(fitted(65)).toBe(table(['NAME', 'STATE', 'WHAT'], rows))
      expect(fitted(60).split('\n')[1]).toBe('mail-queue  lacks CAP_SYS_PTRACE  How full the queue of mai…')
      expect(fitted(40).split('\n')[1]).toBe('mail-queue  lacks CAP_SY…  How full the…')
    })
  })

  it('is its header when there are no rows', () => {
    expect(table(['A', 'B'], [])).toBe('A  B\n')
  })

  it('keeps a row on one line', () => {
    expect(printable('a\u001b[31m\r\nb\u0085\u202ec\u200bd')).toBe('a [31m  b  c d')
    expect(table(['A'], [['x\ny\u001b']])).toBe('A\nx y\n')
  })
})

describe('a time', () => {
  it('is shown in the zone of this machine, with its offset', () => {
    expect(localTime('2026-03-14T09:26:53.589Z')).toMatch(/^2026-03-1[345] \d\d:\d\d:53 [+-]\d\d:\d\d$/)
    const shown = localTime('2026-03-14T09:26:53.589Z', { milliseconds: true })
    expect(new Date(shown.replace(' ', 'T').replace(' ', '')).toISOString()).toBe('2026-03-14T09:26:53.589Z')
  })

  it('is left alone when it is none', () => {
    expect(localTime('soon')).toBe('soon')
  })
})

describe('a causal tree', () => {
  const stored = (id: string, causedBy = ''): StoredEvent => ({ ...event(id, { causedBy, summary: id }), seq: 1 })
  const drawing = (events: readonly StoredEvent[]) =>
    causalTree(events)
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(line.indexOf('  ') + 2).replace('suspected: ', ''))

  it('puts each event under its cause', () => {
    const events = [stored('a'), stored('b', 'a'), stored('c', 'b'), stored('d', 'a'), stored('e', 'elsewhere')]
    expect(drawing(events)).toEqual(['a', '├─ b', '│  └─ c', '└─ d', 'e'])
  })

  it('draws events that claim to cause each other once', () => {
    expect(drawing([stored('a', 'b'), stored('b', 'a'), stored('c', 'c')])).toEqual(['a', '└─ b', 'c'])
  })
})

describe('an event stream', () => {
  async function read(...chunks: Uint8Array[]) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      },
    })
    const messages: StreamMessage[] = []
    for await (const message of readEventStream(body)) messages.push(message)
    return messages
  }

  it('is read the same however it is cut', async () => {
    const bytes = new TextEncoder().encode(
      ': hello\n\nid: 7\nevent: event\ndata: {"a":"ü🐦"}\n\ndata: x\ndata:y\n\nid: 8\n',
    )
    const messages = [
      { name: 'event', id: '7', data: '{"a":"ü🐦"}' },
      { name: 'message', id: undefined, data: 'x\ny' },
    ]
    expect(await read(bytes)).toEqual(messages)
    expect(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(messages)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await read(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(messages)
    }
  })
})
