import { postRelease } from '../api.ts'
import { ReasonForm } from './reason-form.tsx'

/** That nobody is marked, and why; a person may end it, and says why. */
export function Frozen({ why }: { why: string }) {
  return (
    <div class="notice notice-bad" data-testid="frozen">
      <p role="alert">Nobody is marked at present: {why}</p>
      <ReasonForm does="End the freeze" act={postRelease} />
    </div>
  )
}
