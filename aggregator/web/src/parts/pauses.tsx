import type { PauseScope, PauseView } from '../../../remediation-model.ts'
import { postResume } from '../api.ts'
import { ReasonForm } from './reason-form.tsx'
import { Time } from './small.tsx'

/** What rests, until when, by whom and why; a person may end it before its time, and says why. */
export function Pauses({ pauses }: { pauses: readonly PauseView[] }) {
  return pauses.map(({ scope, by, reason, until }) => (
    <div key={JSON.stringify(scope)} class="notice pause" data-testid={`pause-${nameOf(scope)}`}>
      <p>
        Nothing is begun {whereOf(scope)} until <Time at={until} />: {reason} <span class="by">({by})</span>. What was
        begun is finished, and put back if need be.
      </p>
      <ReasonForm does="End the pause" act={(why) => postResume(scope, why)} />
    </div>
  ))
}

function whereOf(scope: PauseScope): string {
  return scope.kind === 'all' ? 'anywhere' : `on ${scope.kind} ${scope.name}`
}

function nameOf(scope: PauseScope): string {
  return scope.kind === 'all' ? 'all' : `${scope.kind}-${scope.name}`
}
