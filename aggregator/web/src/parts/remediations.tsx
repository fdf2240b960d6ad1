import { MODE_WORDS } from '../../../../common/words/modes.ts'
import type { Remediation } from '../../../../remediators/contract.ts'
import type { PermitsView, RefusalView } from '../../../remediation-model.ts'
import { useSay } from '../language.ts'
import { REMEDIATION_TEXTS } from '../texts/remediations.ts'
import { phasePicture } from '../tones.ts'
import { GuardsAsked, Objections } from './guards.tsx'
import { Pauses } from './pauses.tsx'
import { Policies } from './policies.tsx'
import { Said } from './said.tsx'
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
  const say = useSay()
  const newestFirst = remediations.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  return (
    <Section id="remediations" title={say(REMEDIATION_TEXTS.title)} count={remediations.length}>
      <Pauses pauses={permits.pauses} />
      {remediations.length === 0 && <p class="folded">{say(REMEDIATION_TEXTS.none)}</p>}
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
  const say = useSay()
  const { tone, says } = phasePicture(remediation)
  // What guards said is told by them, one by one.
  const isRefused = phase === 'refused' && guards.length > 0
  return (
    <li data-testid={`remediation-${plan.id}`} data-phase={phase}>
      <Badge tone={tone}>{say(says)}</Badge>
      <div class="row-text">
        <p>
          <NodeName node={plan.node} onChoose={onChooseNode} />{' '}
          {plan.changes.map(({ what, before, after }) => `${what} ${before} → ${after}`).join(', ')}
        </p>
        <p class="aside">
          <Said
            text={REMEDIATION_TEXTS.about}
            values={{
              remediator: plan.remediator,
              reason: plan.reason,
              rule: <Rule remediation={remediation} />,
              at: <Time at={at} />,
            }}
          />
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
  const say = useSay()
  return say(REMEDIATION_TEXTS.rule, { policy, mode: say(MODE_WORDS[mode]), rung, attempt })
}
