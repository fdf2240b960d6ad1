import { useState } from 'preact/hooks'

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
  const [failure, setFailure] = useState('')

  async function submit(): Promise<void> {
    setFailure('')
    try {
      await act(reason)
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
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
            Reason{' '}
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
            Back
          </button>
        </form>
      ) : (
        <button type="button" class="no" onClick={() => setIsAsking(true)}>
          {does}…
        </button>
      )}
      {failure !== '' && (
        <p role="alert" class="failure">
          Not ended: {failure}
        </p>
      )}
    </div>
  )
}
