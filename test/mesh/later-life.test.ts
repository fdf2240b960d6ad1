/** A subject that dies soon after it had begun a new life, in which only some of its observers have heard it. */
import { expect, test } from 'vitest'
import { FIRST_LIFE } from './sample-mesh.ts'
import { SILENT, Watched } from './watched.ts'

const LATER_LIFE = { ...FIRST_LIFE, boot: 2 }

test('an observer that heard it in its earlier life accuses it once in the later one that the leader asks about', () => {
  const watched = new Watched().runUntil(7_500).becomes(SILENT).runUntil(9_500)
  watched.isAskedAbout(LATER_LIFE).isAskedAbout(LATER_LIFE).isAskedAbout(FIRST_LIFE)
  expect(watched.accusations.map(([, { opinion, incarnation }]) => [opinion, incarnation])).toEqual([
    ['NodeDown', FIRST_LIFE],
    ['NodeDown', LATER_LIFE],
  ])
})
