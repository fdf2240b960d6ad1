import { useEffect, useState } from 'preact/hooks'
import type { RefusalView } from '../../../remediation-model.ts'
import { fetchAnswer, type GuardVerdict, type PermitAnswer } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { GUARD_TEXTS } from '../texts/guards.ts'
import { Said } from './said.tsx'
import { Time } from './small.tsx'

interface ObjectionsProps {
  /** Those that said no. */
  readonly guards: readonly GuardVerdict[]
  /** The leader's no, as it still holds. */
  readonly refusal: RefusalView | undefined
}

/** Which guards said no, with their figures, and when they are asked again. */
export function Objections({ guards, refusal }: ObjectionsProps) {
  const count = guards.length
  return (
    <div class="guards">
      <p class="aside">
        {refusal === undefined ? (
          <Said text={GUARD_TEXTS.sayNo} values={{ count }} />
        ) : (
          <Said
            text={GUARD_TEXTS.sayNoUntil}
            values={{
              count,
              since: <Time at={refusal.at} />,
              again: <Time at={Date.parse(refusal.at) + refusal.retryAfterMs} />,
            }}
          />
        )}
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
  const language = useLanguage()
  const say = useSay()
  const [isOpen, setIsOpen] = useState(false)
  /** Undefined until the aggregator has said; null: there is none. */
  const [answer, setAnswer] = useState<PermitAnswer | null>()
  const [failure, setFailure] = useState<unknown>()
  // Anew with each `since`: it is no part of the question, and says that there may be another answer.
  useEffect(() => {
    if (!isOpen) return
    fetchAnswer(node, planId).then(
      (found) => {
        setFailure(undefined)
        setAnswer(found ?? null)
      },
      (error: unknown) => setFailure(error),
    )
  }, [isOpen, node, planId, since])
  return (
    <details onToggle={(event) => setIsOpen(event.currentTarget.open)} data-testid="guards-asked">
      <summary>{say(GUARD_TEXTS.asked)}</summary>
      {failure !== undefined && <p class="aside">{reasonOf(failure, language)}</p>}
      {failure === undefined && answer === null && <p class="aside">{say(GUARD_TEXTS.neverAsked)}</p>}
      {failure === undefined && answer != null && (
        <div class="guards">
          <p class="aside">
            <Said
              text={answer.kind === 'permit' ? GUARD_TEXTS.permitted : GUARD_TEXTS.notPermitted}
              values={{
                at: <Time at={answer.at} />,
                allowed: answer.verdicts.filter(({ allowed }) => allowed).length,
                of: answer.verdicts.length,
              }}
            />
          </p>
          <Verdicts verdicts={answer.verdicts} />
        </div>
      )}
    </details>
  )
}

function Verdicts({ verdicts }: { verdicts: readonly GuardVerdict[] }) {
  const say = useSay()
  return (
    <ul class="verdicts">
      {verdicts.map(({ guard, allowed, why }) => (
        <li key={guard} class={allowed ? 'tone-good' : 'tone-bad'} data-allowed={allowed}>
          <span class="verdict">
            <span aria-hidden="true">{allowed ? '●' : '✕'}</span> {guard}
            <span class="unseen"> {say(allowed ? GUARD_TEXTS.allows : GUARD_TEXTS.saysNo)} </span>
          </span>
          <span class="why">{why}</span>
        </li>
      ))}
    </ul>
  )
}
