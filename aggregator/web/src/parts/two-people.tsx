import type { Caller, FirstApprovalView } from '../../../remediation-model.ts'
import { Time } from './small.tsx'

interface TwoPeopleProps {
  readonly planId: string
  /** What the first of the two said; undefined when nobody has yet. */
  readonly first: FirstApprovalView | undefined
  readonly me: Caller | null
}

/** How far a dangerous plan has got, and whether it waits for whoever looks. */
export function TwoPeople({ planId, first, me }: TwoPeopleProps) {
  return (
    <p class="two-people" data-testid={`two-people-${planId}`}>
      <strong>Dangerous: two people must approve it, within an hour of each other.</strong>{' '}
      {first === undefined ? (
        '0 of 2.'
      ) : (
        <>
          1 of 2, by {first.by}, until <Time at={first.until} />.
        </>
      )}{' '}
      {whatNow(first, me)}
    </p>
  )
}

/** Whether it would be a further word; the aggregator has the last one on that. */
export function mayApprove(first: FirstApprovalView | undefined, me: Caller | null): boolean {
  return me !== null && !me.isShared && me.name !== first?.by
}

function whatNow(first: FirstApprovalView | undefined, me: Caller | null): string {
  if (me?.isShared) {
    return 'The token that you came with may be several people’s: sign in with one of your own to approve it.'
  }
  if (me !== null && me.name === first?.by) return 'That was you: somebody else must look at it now.'
  return ''
}
