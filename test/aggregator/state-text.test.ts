/** The present as text: the same as JSON of it, also when only a part of it has changed. */
import { expect, it } from 'vitest'
import { stateTextOf } from '../../aggregator/http/state-text.ts'
import { createSamplePort } from './sample-port.ts'

it('says all that the snapshot says, and of one that changed what it is now', () => {
  const snapshot = createSamplePort().snapshot()
  expect(JSON.parse(stateTextOf(snapshot))).toEqual(JSON.parse(JSON.stringify(snapshot)))
  const [first, ...others] = snapshot.findings
  if (first === undefined) throw new Error('the sample has no findings')
  const changed = { ...snapshot, members: [], findings: [...others, { ...first, summary: 'line\n"quoted" 磁盘' }] }
  expect(JSON.parse(stateTextOf(changed))).toEqual(JSON.parse(JSON.stringify(changed)))
})
