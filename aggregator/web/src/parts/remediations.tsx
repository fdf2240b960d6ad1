import type { Remediation } from '../../../../remediators/contract.ts'
import type { PermitsView, RefusalView } from '../../../remediation-model.ts'
import { phasePicture } from '../tones.ts'
import { GuardsAsked, Objections } from './guards.tsx'
import { Pauses } from './pauses.tsx'
import { Policies } from './policies.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'

interface RemediationsProps {
  /** All but those that wait for a decision. */
  readonly remediations: readonly Remediation[]
  readonly permits: PermitsView
  /** Of the settings in force. */
  readonly version: number
  readonly onChooseNode: (node: string) => void
}

export function Remediations({ remediations, permits, version, onChooseNode }: RemediationsProps) {
  const newestFirst = remediations.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  return (
    <Section id="remediations" title="Remediations" count={remediations.length}>
      <Pauses pauses={permits.pauses} />
      {remediations.length === 0 && <p class="folded">Nothing was fixed, and nothing was refused.</p>}
      <ul class="rows">
        {newestFirst.map((remediation) => (
          <Row
            key={remediation.plan.id}
            remediation={remediation}
            refusal={permits.refused.find(({ planId }) => planId === remediation.plan.id)}
            onChooseNode={onChooseNode}
          />
        ))}
      </ul>
      <Policies version={version} />
    </Section>
  )
}

interface RowProps {
  readonly remediation: Remediation
  readonly refusal: RefusalView | undefined
  readonly onChooseNode: (node: string) => void
}

function Row({ remediation, refusal, onChooseNode }: RowProps) {
  const { plan, phase, why, at, guards = [], permitId } = remediation
  const { tone, says } = phasePicture(remediation)
  // What guards said is told by them, one by one.
  const isRefused = phase === 'refused' && guards.length > 0
  return (
    <li data-testid={`remediation-${plan.id}`} data-phase={phase}>
      <Badge tone={tone}>{says}</Badge>
      <div class="row-text">
        <p>
          <NodeName node={plan.node} onChoose={onChooseNode} />{' '}
          {plan.changes.map(({ what, before, after }) => `${what} ${before} → ${after}`).join(', ')}
        </p>
        <p class="aside">
          {plan.remediator} for {plan.reason} · <Rule remediation={remediation} /> · <Time at={at} />
          {!isRefused && ` · ${why}`}
        </p>
        {isRefused && <Objections guards={guards} refusal={refusal} />}
        {(isRefused || permitId !== undefined) && <GuardsAsked node={plan.node} planId={plan.id} since={at} />}
      </div>
    </li>
  )
}

/** By what it is done: the policy, how far that goes by itself, and how far its ladder has been climbed. */
export function Rule({ remediation: { policy, mode, rung, attempt } }: Pick<RowProps, 'remediation'>) {
  return (
    <>
      {policy} ({mode}), rung {rung}, attempt {attempt}
    </>
  )
}
