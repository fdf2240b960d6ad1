import type { PauseScope, PauseView } from '../../../remediation-model.ts'
import { postResume } from '../api.ts'
import { useSay } from '../language.ts'
import { PAUSE_TEXTS } from '../texts/pauses.ts'
import { ReasonForm } from './reason-form.tsx'
import { Said } from './said.tsx'
import { Time } from './small.tsx'

/** What rests, until when, by whom and why; a person may end it before its time, and says why. */
export function Pauses({ pauses }: { pauses: readonly PauseView[] }) {
  const say = useSay()
  return pauses.map(({ scope, by, reason, until }) => (
    <div key={JSON.stringify(scope)} class="notice pause" data-testid={`pause-${nameOf(scope)}`}>
      <p>
        <Said
          text={PAUSE_TEXTS[scope.kind]}
          values={{
            name: scope.kind === 'all' ? '' : scope.name,
            until: <Time at={until} />,
            reason,
            by: <span class="by">{say(PAUSE_TEXTS.by, { by })}</span>,
          }}
        />
      </p>
      <ReasonForm does={say(PAUSE_TEXTS.end)} act={(why) => postResume(scope, why)} />
    </div>
  ))
}

function nameOf(scope: PauseScope): string {
  return scope.kind === 'all' ? 'all' : `${scope.kind}-${scope.name}`
}
