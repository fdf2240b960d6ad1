import { useState } from 'preact/hooks'
import type { Finding, Measure } from '../../../../detectors/contract.ts'
import type { Remediation } from '../../../../remediators/contract.ts'
import type { Caller, FirstApprovalView } from '../../../remediation-model.ts'
import { postDecision } from '../api.ts'
import { Rule } from './remediations.tsx'
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
  if (waiting.length === 0) return null
  return (
    <Section id="approvals" title="Needs you" count={waiting.length}>
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
  const { plan, why, at } = remediation
  return (
    <article class="card edge-act" data-testid={`approval-${plan.id}`}>
      <div class="tile-head">
        <h3>
          <NodeName node={plan.node} onChoose={onChooseNode} /> {plan.remediator}
        </h3>
        <span class="chips">
          <Badge tone={plan.risk === 'low' ? 'good' : 'warn'}>{plan.risk} risk</Badge>
          <Badge tone={plan.reach === 'none' ? 'good' : 'warn'}>
            {plan.reach === 'none' ? 'restarts nothing' : `reaches ${plan.reach}`}
          </Badge>
        </span>
      </div>
      <p>
        <strong>{plan.reason}</strong>: {finding?.summary ?? 'the finding behind it has ended or expired'}
      </p>
      {finding !== undefined && <Evidence measures={finding.evidence} />}
      <Diff plan={plan} />
      <p class="aside">
        Waits since <Time at={at} />: {why}. <Rule remediation={remediation} />. Plan <code>{plan.id}</code>.
      </p>
      {plan.risk === 'dangerous' && <TwoPeople planId={plan.id} first={first} me={me} />}
      {me?.right === 'view' ? (
        <p class="aside">You may look, {me.name}; to decide takes the right approve.</p>
      ) : (
        // Anew for the second person: the card of the first stays, and both can still reject.
        <DecisionButtons
          key={first?.by}
          planId={plan.id}
          what={`${plan.remediator} on ${plan.node}`}
          mayApprove={plan.risk !== 'dangerous' || mayApprove(first, me)}
        />
      )}
    </article>
  )
}

export function Evidence({ measures }: { measures: readonly Measure[] }) {
  if (measures.length === 0) return null
  return (
    <ul class="evidence" aria-label="Evidence">
      {measures.map(({ name, value, limit, unit }) => (
        <li key={name}>
          {name} <strong>{`${value} ${unit}`.trim()}</strong>
          {limit !== undefined && ` against ${`${limit} ${unit}`.trim()}`}
        </li>
      ))}
    </ul>
  )
}

/** Each value as it is and as it would be, with the command that puts it back. */
function Diff({ plan }: { plan: Remediation['plan'] }) {
  return (
    <dl class="diff">
      {plan.changes.map(({ what, before, after, undo }) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd class="values">
            <del>{before}</del>{' '}
            <span role="img" aria-label="becomes">
              →
            </span>{' '}
            <ins>{after}</ins>
          </dd>
          <dd class="undo">
            undo: <code>{undo}</code>
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface DecisionButtonsProps {
  readonly planId: string
  readonly what: string
  readonly mayApprove: boolean
}

function DecisionButtons({ planId, what, mayApprove }: DecisionButtonsProps) {
  const [step, setStep] = useState<'idle' | 'rejecting' | 'sending'>('idle')
  const [reason, setReason] = useState('')
  const [failure, setFailure] = useState('')

  async function decide(action: 'approve' | 'reject'): Promise<void> {
    setStep('sending')
    setFailure('')
    try {
      await postDecision(planId, action, reason)
      // The row goes when the stream says so: it shows what the aggregator holds, not what was clicked.
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
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
            Reason{' '}
            <input
              ref={(input) => input?.focus()}
              value={reason}
              maxLength={500}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="no">
            Reject this plan
          </button>
          <button type="button" onClick={() => setStep('idle')}>
            Back
          </button>
        </form>
      ) : (
        <>
          <button
            type="button"
            class="yes"
            disabled={step === 'sending' || !mayApprove}
            aria-label={`Approve ${what}`}
            onClick={() => void decide('approve')}
          >
            Approve
          </button>
          <button
            type="button"
            class="no"
            disabled={step === 'sending'}
            aria-label={`Reject ${what}`}
            onClick={() => setStep('rejecting')}
          >
            Reject…
          </button>
        </>
      )}
      {failure !== '' && (
        <p role="alert" class="failure">
          Not decided: {failure}
        </p>
      )}
    </div>
  )
}
