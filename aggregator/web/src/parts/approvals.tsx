import { useState } from 'preact/hooks'
import type { Finding, Measure } from '../../../../detectors/contract.ts'
import type { Remediation } from '../../../../remediators/contract.ts'
import type { Caller, FirstApprovalView } from '../../../remediation-model.ts'
import { postDecision } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { APPROVAL_TEXTS, REACH_TEXTS, REASON_TEXTS, RISK_TEXTS } from '../texts/approvals.ts'
import { FINDING_TEXTS } from '../texts/findings.ts'
import { Rule } from './remediations.tsx'
import { Said } from './said.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'
import { mayApprove, TwoPeople } from './two-people.tsx'

interface ApprovalsProps {
  readonly waiting: readonly Remediation[]
  readonly findings: readonly Finding[]
  /** Of dangerous plans, what the first person said. */
  readonly first: readonly FirstApprovalView[]
  readonly me: Caller | null
  readonly onChooseNode: (node: string) => void
}

/** Nothing at all when nobody is needed. */
export function Approvals({ waiting, findings, first, me, onChooseNode }: ApprovalsProps) {
  const say = useSay()
  if (waiting.length === 0) return null
  return (
    <Section id="approvals" title={say(APPROVAL_TEXTS.title)} count={waiting.length}>
      {waiting.map((remediation) => (
        <Approval
          key={remediation.plan.id}
          remediation={remediation}
          finding={findings.find(({ id }) => id === remediation.plan.findingId)}
          first={first.find(({ planId }) => planId === remediation.plan.id)}
          me={me}
          onChooseNode={onChooseNode}
        />
      ))}
    </Section>
  )
}

interface ApprovalProps {
  readonly remediation: Remediation
  readonly finding: Finding | undefined
  readonly first: FirstApprovalView | undefined
  readonly me: Caller | null
  readonly onChooseNode: (node: string) => void
}

function Approval({ remediation, finding, first, me, onChooseNode }: ApprovalProps) {
  const say = useSay()
  const { plan, why, at } = remediation
  return (
    <article class="card edge-act" data-testid={`approval-${plan.id}`}>
      <div class="tile-head">
        <h3>
          <NodeName node={plan.node} onChoose={onChooseNode} /> {plan.remediator}
        </h3>
        <span class="chips">
          <Badge tone={plan.risk === 'low' ? 'good' : 'warn'}>{say(RISK_TEXTS[plan.risk])}</Badge>
          <Badge tone={plan.reach === 'none' ? 'good' : 'warn'}>{say(REACH_TEXTS[plan.reach])}</Badge>
        </span>
      </div>
      <p>
        <strong>{plan.reason}</strong>: {finding?.summary ?? say(APPROVAL_TEXTS.findingOver)}
      </p>
      {finding !== undefined && <Evidence measures={finding.evidence} />}
      <Diff plan={plan} />
      <p class="aside">
        <Said
          text={APPROVAL_TEXTS.waits}
          values={{
            at: <Time at={at} />,
            why,
            rule: <Rule remediation={remediation} />,
            plan: <code>{plan.id}</code>,
          }}
        />
      </p>
      {plan.risk === 'dangerous' && <TwoPeople planId={plan.id} first={first} me={me} />}
      {me?.right === 'view' ? (
        <p class="aside">{say(APPROVAL_TEXTS.onlyView, { name: me.name })}</p>
      ) : (
        // Anew for the second person: the card of the first stays, and both can still reject.
        <DecisionButtons
          key={first?.by}
          planId={plan.id}
          what={{ remediator: plan.remediator, node: plan.node }}
          mayApprove={plan.risk !== 'dangerous' || mayApprove(first, me)}
        />
      )}
    </article>
  )
}

export function Evidence({ measures }: { measures: readonly Measure[] }) {
  const say = useSay()
  if (measures.length === 0) return null
  return (
    <ul class="evidence" aria-label={say(FINDING_TEXTS.evidence)}>
      {measures.map(({ name, value, limit, unit }) => (
        <li key={name}>
          {name} <strong>{`${value} ${unit}`.trim()}</strong>
          {limit !== undefined && ` ${say(FINDING_TEXTS.against, { limit: `${limit} ${unit}`.trim() })}`}
        </li>
      ))}
    </ul>
  )
}

/** Each value as it is and as it would be, with the command that puts it back. */
function Diff({ plan }: { plan: Remediation['plan'] }) {
  const say = useSay()
  return (
    <dl class="diff">
      {plan.changes.map(({ what, before, after, undo }) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd class="values">
            <del>{before}</del>{' '}
            <span role="img" aria-label={say(APPROVAL_TEXTS.becomes)}>
              →
            </span>{' '}
            <ins>{after}</ins>
          </dd>
          <dd class="undo">
            <Said text={APPROVAL_TEXTS.undo} values={{ command: <code>{undo}</code> }} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface DecisionButtonsProps {
  readonly planId: string
  /** Of the plan. */
  readonly what: { readonly remediator: string; readonly node: string }
  readonly mayApprove: boolean
}

function DecisionButtons({ planId, what, mayApprove }: DecisionButtonsProps) {
  const [step, setStep] = useState<'idle' | 'rejecting' | 'sending'>('idle')
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState<unknown>()
  const language = useLanguage()
  const say = useSay()

  async function decide(action: 'approve' | 'reject'): Promise<void> {
    setStep('sending')
    setFailure(undefined)
    try {
      await postDecision(planId, action, reason)
      // The row goes when the stream says so: it shows what the aggregator holds, not what was clicked.
    } catch (error) {
      setFailure(error)
      setStep('idle')
    }
  }

  return (
    <div class="decision">
      {step === 'rejecting' ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void decide('reject')
          }}
        >
          <label>
            {say(REASON_TEXTS.reason)}{' '}
            <input
              ref={(input) => input?.focus()}
              value={reason}
              maxLength={500}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="no">
            {say(APPROVAL_TEXTS.rejectThis)}
          </button>
          <button type="button" onClick={() => setStep('idle')}>
            {say(REASON_TEXTS.back)}
          </button>
        </form>
      ) : (
        <>
          <button
            type="button"
            class="yes"
            disabled={step === 'sending' || !mayApprove}
            aria-label={say(APPROVAL_TEXTS.approveWhat, what)}
            onClick={() => void decide('approve')}
          >
            {say(APPROVAL_TEXTS.approve)}
          </button>
          <button
            type="button"
            class="no"
            disabled={step === 'sending'}
            aria-label={say(APPROVAL_TEXTS.rejectWhat, what)}
            onClick={() => setStep('rejecting')}
          >
            {say(APPROVAL_TEXTS.reject)}…
          </button>
        </>
      )}
      {failure !== undefined && (
        <p role="alert" class="failure">
          {say(APPROVAL_TEXTS.notDecided, { why: reasonOf(failure, language) })}
        </p>
      )}
    </div>
  )
}
