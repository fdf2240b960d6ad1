/** How the mesh is told of verdicts: at once, again before it lapses, and with what observers need to know. */
import { describe, expect, test } from 'vitest'
import { DownList, standingIn } from '../../mesh/core/down-list.ts'
import type { Effect } from '../../mesh/core/message.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const SUBJECT = nodeName(4)
const TTL_MS = 180_000
const VERDICT = { verdictId: 'v', kind: 'NodeDown', subject: SUBJECT, incarnation: FIRST_LIFE } as const
const ISOLATED = { ...VERDICT, kind: 'Isolated' } as const
const LATER_LIFE = { ...FIRST_LIFE, boot: 2 }

function listOf(standing: readonly (typeof VERDICT)[] = []) {
  const driven = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }), standing })
  return { list: new DownList(0, driven.leader, TTL_MS), driven }
}

const noticed = (notice: Extract<Effect, { kind: 'notice' }>['notice']): Effect => ({ kind: 'notice', notice })

describe('a notice', () => {
  test.each([
    {
      what: 'a recovery',
      effect: noticed({ kind: 'recovered', verdict: VERDICT, why: '' }),
      says: { standing: false },
    },
    {
      what: 'a later life of it',
      effect: noticed({ kind: 'announced', verdict: VERDICT, incarnation: LATER_LIFE }),
      says: { standing: true, verdict: 'NodeDown' },
    },
    {
      what: 'that somebody hears it again',
      effect: noticed({ kind: 'heardAgain', verdict: VERDICT }),
      says: { standing: true, heard: true },
    },
    {
      what: 'that it is isolated',
      effect: noticed({ kind: 'isolated', verdict: ISOLATED }),
      says: { standing: true, verdict: 'Isolated' },
    },
  ])('goes out at once for $what', ({ effect, says }) => {
    const { list } = listOf()
    list.tick(0, [])
    expect(list.tick(10, [effect])).toMatchObject([{ kind: 'down', subject: SUBJECT, verdictId: 'v', ...says }])
    expect(list.tick(11, [noticed({ kind: 'suspected', subject: SUBJECT, voters: [] })])).toEqual([])
  })

  test('goes out at once for a commit, with the latest life that is known and the beats that recovery takes', () => {
    const { list, driven } = listOf()
    list.tick(0, [])
    driven.convict(SUBJECT, 0)
    driven.leader.lives(SUBJECT, LATER_LIFE)
    const [certificate] = driven.certificates
    if (certificate === undefined) throw new Error('no verdict was made')
    expect(list.tick(300, [{ kind: 'commit', certificate }])).toEqual([
      {
        kind: 'down',
        subject: SUBJECT,
        incarnation: FIRST_LIFE,
        verdict: 'NodeDown',
        verdictId: certificate.verdictId,
        standing: true,
        latest: LATER_LIFE,
        recoverBeats: 3,
        heard: false,
      },
    ])
  })

  test('is repeated for all that stand at a third of its lifetime', () => {
    const { list } = listOf([VERDICT])
    expect(list.tick(0, [])).toMatchObject([{ subject: SUBJECT, standing: true }])
    expect(list.nextAt).toBe(TTL_MS / 3)
    expect(list.tick(TTL_MS / 3 - 1, [])).toEqual([])
    expect(list.tick(TTL_MS / 3, [])).toHaveLength(1)
  })
})

describe('the down lists of several aggregators', () => {
  const notice = (verdictId: string, standing: boolean, subject = SUBJECT) =>
    ({
      ...({ kind: 'down', subject, incarnation: FIRST_LIFE, verdict: 'NodeDown' } as const),
      ...{ verdictId, standing, latest: FIRST_LIFE, recoverBeats: 3, heard: false },
    }) as const

  test('are one: what any of them has called ended does not stand, whoever says or recorded otherwise', () => {
    const heard = [
      notice('v', true),
      notice('v', false),
      notice('w', true, nodeName(5)),
      notice('u', true, nodeName(6)),
    ]
    const ended = { ...VERDICT, verdictId: 'u', subject: nodeName(6) }
    expect(standingIn(heard, [VERDICT])).toEqual([
      { verdictId: 'w', kind: 'NodeDown', subject: nodeName(5), incarnation: FIRST_LIFE },
      { verdictId: 'u', kind: 'NodeDown', subject: nodeName(6), incarnation: FIRST_LIFE },
    ])
    expect(standingIn([...heard, notice('u', false, nodeName(6))], [VERDICT, ended])).toHaveLength(1)
  })

  test('know better than a record about the same node', () => {
    expect(standingIn([notice('later', true)], [VERDICT])).toMatchObject([{ verdictId: 'later' }])
    expect(standingIn([], [VERDICT])).toEqual([VERDICT])
  })
})
