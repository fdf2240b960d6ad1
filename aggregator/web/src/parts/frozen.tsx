import { postRelease } from '../api.ts'
import { useSay } from '../language.ts'
import { NOTICE_TEXTS } from '../texts/notices.ts'
import { ReasonForm } from './reason-form.tsx'

/** That nobody is marked, and why; a person may end it, and says why. */
export function Frozen({ why }: { why: string }) {
  const say = useSay()
  return (
    <div class="notice notice-bad" data-testid="frozen">
      <p role="alert">{say(NOTICE_TEXTS.frozen, { why })}</p>
      <ReasonForm does={say(NOTICE_TEXTS.thaw)} act={postRelease} />
    </div>
  )
}
