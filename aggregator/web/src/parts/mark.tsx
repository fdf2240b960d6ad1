import type { MarkView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { MARK_STATE_TEXTS, MARK_TEXTS, MARKING_MODE_TEXTS } from '../texts/marks.ts'
import { MARK_PICTURES } from '../tones.ts'
import { Said } from './said.tsx'
import { Badge, Time } from './small.tsx'

/** What shows in Kubernetes of a verdict or a finding, or would, or why it does not. */
export function Mark({ mark: { state, mode, effects, withheld, since, undoneAt } }: { mark: MarkView }) {
  const say = useSay()
  const { tone, sign } = MARK_PICTURES[state]
  return (
    <p class="mark" data-testid="mark" data-state={state}>
      <Badge tone={tone} mark={sign}>
        {say(MARK_STATE_TEXTS[state])}
      </Badge>{' '}
      {state === 'withheld' ? withheld : effects.join(', ')}
      <span class="aside">
        {' '}
        <Said
          text={undoneAt === undefined ? MARK_TEXTS.since : MARK_TEXTS.fromTo}
          values={{
            mode: say(MARKING_MODE_TEXTS[mode]),
            from: <Time at={since} />,
            to: undoneAt !== undefined && <Time at={undoneAt} />,
          }}
        />
      </span>
      {state === 'marked' && withheld !== '' && <span class="aside"> {say(MARK_TEXTS.notAll, { why: withheld })}</span>}
    </p>
  )
}
