/** What nodes say, on its way to the journal: reports in one go, everything in its order, and nothing told that is not there. */
import { expect, it } from 'vitest'
import { Intake } from '../../aggregator/intake.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { event } from './event.ts'
import { SILENT_LOG } from './serve-sample.ts'

const note = (signer: string, topic: string) =>
  ({ statement: { signer, body: { kind: 'note', topic } } }) as unknown as SignedStatement
const report = (signer: string) => note(signer, 'finding/x')
const nameOf = ({ statement }: SignedStatement) => statement.signer

function intakeOn(hear: (signed: SignedStatement) => void) {
  const journal = openJournal(':memory:')
  const told: string[] = []
  let transactions = 0
  const intake = new Intake({
    together(work) {
      transactions++
      journal.together(work)
    },
    hear: (signed) => {
      hear(signed)
      journal.append(event(nameOf(signed), { node: nameOf(signed) }))
    },
    heard: (signed) => void told.push(nameOf(signed)),
    log: SILENT_LOG,
  })
  const stored = () => journal.query({ limit: 100 }).map(({ id }) => id)
  return { intake, told, stored, journal, transactions: () => transactions }
}

it('puts reports on record together, before whatever comes after them', () => {
  const { intake, told, stored, transactions } = intakeOn(() => {})
  for (const name of ['a', 'b', 'c']) intake.take(report(name))
  expect([stored(), told]).toEqual([[], []])
  intake.take(note('d', 'remediation/x'))
  expect([stored(), told, transactions()]).toEqual([['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd'], 1])
})

it('does so by itself, and leaves out what one node says wrongly', async () => {
  const { intake, told, stored } = intakeOn((signed) => {
    if (nameOf(signed) === 'liar') throw new Error('it spoke for another')
  })
  for (const name of ['a', 'liar', 'b']) intake.take(report(name))
  await expect.poll(stored).toEqual(['a', 'b'])
  expect(told).toEqual(['a', 'b'])
})

it('tells of nothing that the disk refused, and goes on afterwards with the same names', () => {
  let isFull = true
  const { intake, told, stored, journal } = intakeOn((signed) => {
    if (isFull && nameOf(signed) === 'b') throw Object.assign(new Error('disk is full'), { code: 'ERR_SQLITE_ERROR' })
  })
  for (const name of ['a', 'b']) intake.take(report(name))
  intake.flush()
  expect([stored(), told]).toEqual([[], []])
  isFull = false
  for (const name of ['a', 'b']) intake.take(report(name))
  intake.flush()
  expect([stored(), told]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
  expect(journal.query({ limit: 10, node: 'a' })).toHaveLength(1)
})
