import { useState } from 'preact/hooks'
import { postRelease } from '../api.ts'

/** That nobody is marked, and why; a person may end it, and says why. */
export function Frozen({ why }: { why: string }) {
  const [isAsking, setIsAsking] = useState(false)
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState('')

  async function release(): Promise<void> {
    setFailure('')
    try {
      await postRelease(reason)
      // This goes when the stream says so: it shows what the aggregator holds, not what was clicked.
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
    }
  }

  return (
    <div class="notice notice-bad" data-testid="frozen">
      <p role="alert">Nobody is marked at present: {why}</p>
      <div class="decision">
        {isAsking ? (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              void release()
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
              End the freeze
            </button>
            <button type="button" onClick={() => setIsAsking(false)}>
              Back
            </button>
          </form>
        ) : (
          <button type="button" class="no" onClick={() => setIsAsking(true)}>
            End the freeze…
          </button>
        )}
        {failure !== '' && (
          <p role="alert" class="failure">
            Not ended: {failure}
          </p>
        )}
      </div>
    </div>
  )
}
