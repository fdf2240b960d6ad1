/** What members said, through a restart of the aggregator: the last of each, and bounded. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LastWords } from '../../aggregator/last-words.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'

const note = (topic: string, text: string): SignedStatement => {
  const body = { kind: 'note', topic, bytes: Buffer.from(text) } as const
  return { statement: { signer: 'a', serial: 1, boot: 1, seq: 1, ttlMs: 1_000, body }, signature: new Uint8Array(64) }
}

it('are kept under so many names of a member, which can be said anew, also in a later life', () => {
  const dir = mkdtempSync(join(tmpdir(), 'starling-words-'))
  const store = openJournal(join(dir, 'history.sqlite'))
  try {
    const words = new LastWords(store)
    for (let index = 0; index < 513; index++) words.keep(note(`made-up/${index}`, 'first'))
    const later = new LastWords(store)
    expect(later.read()).toHaveLength(512)
    later.keep(note('made-up/600', 'one more'))
    later.keep(note('made-up/0', 'second'))
    const texts = new LastWords(store).read().map(({ statement: { body } }) => {
      return body.kind === 'note' ? Buffer.from(body.bytes).toString() : body.kind
    })
    expect([texts.length, texts.filter((text) => text !== 'first')]).toEqual([512, ['second']])
  } finally {
    store.close()
    rmSync(dir, { recursive: true })
  }
})
