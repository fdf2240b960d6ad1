import { useEffect, useRef, useState } from 'preact/hooks'
import type { MemberView } from '../../../model.ts'
import type { ToldState } from '../../../stream/told-state.ts'

/** Tells a screen reader what changed; the eye sees it anyway. */
export function Announcer({ snapshot }: { snapshot: ToldState }) {
  const last = useRef(snapshot)
  const [text, setText] = useState('')
  useEffect(() => {
    const changes = changesBetween(last.current, snapshot)
    last.current = snapshot
    if (changes !== '') setText(changes)
  }, [snapshot])
  return (
    <p class="unseen" role="status" aria-live="polite" data-testid="announcer">
      {text}
    </p>
  )
}

function changesBetween(before: ToldState, now: ToldState): string {
  const told = new Map(before.members.map((member) => [member.node, standing(member)]))
  const members = now.members
    .filter((member) => told.get(member.node) !== standing(member))
    .map((member) => `${member.node} is ${standing(member)}`)
  const phases = new Map(before.remediations.map(({ plan, phase }) => [plan.id, phase]))
  const remediations = now.remediations
    .filter(({ plan, phase }) => phases.get(plan.id) !== phase)
    .map(({ plan, phase }) => `${plan.remediator} on ${plan.node}: ${phase}`)
  return [...members, ...remediations].join('. ')
}

function standing({ state, flags }: MemberView): string {
  return [state, ...flags].join(' with ')
}
