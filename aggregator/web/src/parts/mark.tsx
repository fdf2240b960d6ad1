import type { MarkView } from '../../../model.ts'
import { MARK_PICTURES } from '../tones.ts'
import { Badge, Time } from './small.tsx'

/** What shows in Kubernetes of a verdict or a finding, or would, or why it does not. */
export function Mark({ mark: { state, mode, effects, withheld, since, undoneAt } }: { mark: MarkView }) {
  const { tone, sign, says } = MARK_PICTURES[state]
  return (
    <p class="mark" data-testid="mark" data-state={state}>
      <Badge tone={tone} mark={sign}>
        {says}
      </Badge>{' '}
      {state === 'withheld' ? withheld : effects.join(', ')}
      <span class="aside">
        {' '}
        · mode {mode} · since <Time at={since} />
        {undoneAt !== undefined && [' to ', <Time key="end" at={undoneAt} />]}
      </span>
      {state === 'marked' && withheld !== '' && <span class="aside"> · not all of it: {withheld}</span>}
    </p>
  )
}
