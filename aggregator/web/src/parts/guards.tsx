import { useEffect, useState } from 'preact/hooks'
import type { RefusalView } from '../../../remediation-model.ts'
import { fetchAnswer, type GuardVerdict, type PermitAnswer } from '../api.ts'
import { Time } from './small.tsx'

interface ObjectionsProps {
  /** Those that said no. */
  readonly guards: readonly GuardVerdict[]
  /** The leader's no, as it still holds. */
  readonly refusal: RefusalView | undefined
}

/** Which guards said no, with their figures, and when they are asked again. */
export function Objections({ guards, refusal }: ObjectionsProps) {
  return (
    <div class="guards">
      <p class="aside">
        {guards.length === 1 ? 'A guard says no' : `${guards.length} guards say no`}
        {refusal !== undefined && (
          <>
            {' '}
            since <Time at={refusal.at} />; asked again at <Time at={Date.parse(refusal.at) + refusal.retryAfterMs} />{' '}
            while the fault lasts
          </>
        )}
        .
      </p>
      <Verdicts verdicts={guards} />
    </div>
  )
}

interface GuardsAskedProps {
  readonly node: string
  readonly planId: string
  /** Changes when there may be another answer. */
  readonly since: string
}

/** All guards that the leader asked about a plan last, once somebody wants to see them. */
export function GuardsAsked({ node, planId, since }: GuardsAskedProps) {
  const [isOpen, setIsOpen] = useState(false)
  const [answer, setAnswer] = useState<PermitAnswer | string | undefined>()
  // Anew with each `since`: it is no part of the question, and says that there may be another answer.
  useEffect(() => {
    if (!isOpen) return
    fetchAnswer(node, planId).then(
      (found) => setAnswer(found ?? 'The leader has not been asked for a permit.'),
      (error: unknown) => setAnswer(error instanceof Error ? error.message : String(error)),
    )
  }, [isOpen, node, planId, since])
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)} data-testid="guards-asked">
      <summary>All guards that were asked</summary>
      {typeof answer === 'string' && <p class="aside">{answer}</p>}
      {typeof answer === 'object' && (
        <div class="guards">
          <p class="aside">
            {answer.kind === 'permit' ? 'Permitted' : 'Not permitted'} at <Time at={answer.at} />:{' '}
            {answer.verdicts.filter(({ allowed }) => allowed).length} of {answer.verdicts.length} guards allow it.
          </p>
          <Verdicts verdicts={answer.verdicts} />
        </div>
      )}
    </details>
  )
}

function Verdicts({ verdicts }: { verdicts: readonly GuardVerdict[] }) {
  return (
    <ul class="verdicts">
      {verdicts.map(({ guard, allowed, why }) => (
        <li key={guard} class={allowed ? 'tone-good' : 'tone-bad'} data-allowed={allowed}>
          <span class="verdict">
            <span aria-hidden="true">{allowed ? '●' : '✕'}</span> {guard}
            <span class="unseen">{allowed ? ' allows it: ' : ' says no: '}</span>
          </span>
          <span class="why">{why}</span>
        </li>
      ))}
    </ul>
  )
}
