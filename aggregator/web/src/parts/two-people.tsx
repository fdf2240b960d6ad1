import type { Caller, FirstApprovalView } from '../../../remediation-model.ts'
import { useSay } from '../language.ts'
import { TWO_PEOPLE_TEXTS } from '../texts/approvals.ts'
import { Said } from './said.tsx'
import { Time } from './small.tsx'

interface TwoPeopleProps {
  readonly planId: string
  /** What the first of the two said; undefined when nobody has yet. */
  readonly first: FirstApprovalView | undefined
  readonly me: Caller | null
}

/** How far a dangerous plan has got, and whether it waits for whoever looks. */
export function TwoPeople({ planId, first, me }: TwoPeopleProps) {
  const say = useSay()
  const now = whatNow(first, me)
  return (
    <p class="two-people" data-testid={`two-people-${planId}`}>
      <strong>{say(TWO_PEOPLE_TEXTS.takesTwo)}</strong>{' '}
      {first === undefined ? (
        say(TWO_PEOPLE_TEXTS.none)
      ) : (
        <Said text={TWO_PEOPLE_TEXTS.one} values={{ by: first.by, until: <Time at={first.until} /> }} />
      )}{' '}
      {now !== undefined && say(now)}
    </p>
  )
}

/** Whether it would be a further word; the aggregator has the last one on that. */
export function mayApprove(first: FirstApprovalView | undefined, me: Caller | null): boolean {
  return me !== null && !me.isShared && me.name !== first?.by
}

function whatNow(first: FirstApprovalView | undefined, me: Caller | null) {
  if (me?.isShared) return TWO_PEOPLE_TEXTS.shared
  return me !== null && me.name === first?.by ? TWO_PEOPLE_TEXTS.thatWasYou : undefined
}
