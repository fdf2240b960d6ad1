import { useState } from 'preact/hooks'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { REASON_TEXTS } from '../texts/approvals.ts'

interface ReasonFormProps {
  /** What the button says, as `End the freeze`. */
  readonly does: string
  /** Rejects with a text for people. */
  readonly act: (reason: string) => Promise<void>
}

/** A deed that takes a reason. What comes of it the stream says: it shows what the aggregator holds, not what was clicked. */
export function ReasonForm({ does, act }: ReasonFormProps) {
  const [isAsking, setIsAsking] = useState(false)
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState<unknown>()
  const language = useLanguage()
  const say = useSay()

  async function submit(): Promise<void> {
    setFailure(undefined)
    try {
      await act(reason)
    } catch (error) {
      setFailure(error)
    }
  }

  return (
    <div class="decision">
      {isAsking ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <label>
            {say(REASON_TEXTS.reason)}{' '}
            <input
              ref={(input) => input?.focus()}
              value={reason}
              required
              maxLength={500}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="no">
            {does}
          </button>
          <button type="button" onClick={() => setIsAsking(false)}>
            {say(REASON_TEXTS.back)}
          </button>
        </form>
      ) : (
        <button type="button" class="no" onClick={() => setIsAsking(true)}>
          {does}…
        </button>
      )}
      {failure !== undefined && (
        <p role="alert" class="failure">
          {say(REASON_TEXTS.notEnded, { why: reasonOf(failure, language) })}
        </p>
      )}
    </div>
  )
}
