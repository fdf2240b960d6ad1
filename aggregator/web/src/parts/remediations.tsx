import type { Remediation } from '../../../../remediators/contract.ts'
import { phasePicture } from '../tones.ts'
import { Badge, NodeName, Section, Time } from './small.tsx'

interface RemediationsProps {
  /** All but those that wait for a decision. */
  readonly remediations: readonly Remediation[]
  readonly onChooseNode: (node: string) => void
}

export function Remediations({ remediations, onChooseNode }: RemediationsProps) {
  const newestFirst = remediations.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  return (
    <Section id="remediations" title="Remediations" count={remediations.length}>
      {remediations.length === 0 && <p class="folded">Nothing was fixed, and nothing was refused.</p>}
      <ul class="rows">
        {newestFirst.map((remediation) => (
          <Row key={remediation.plan.id} remediation={remediation} onChooseNode={onChooseNode} />
        ))}
      </ul>
    </Section>
  )
}

interface RowProps {
  readonly remediation: Remediation
  readonly onChooseNode: (node: string) => void
}

function Row({ remediation, onChooseNode }: RowProps) {
  const { plan, phase, why, at, policy } = remediation
  const { tone, says } = phasePicture(remediation)
  return (
    <li data-testid={`remediation-${plan.id}`} data-phase={phase}>
      <Badge tone={tone}>{says}</Badge>
      <div class="row-text">
        <p>
          <NodeName node={plan.node} onChoose={onChooseNode} />{' '}
          {plan.changes.map(({ what, before, after }) => `${what} ${before} → ${after}`).join(', ')}
        </p>
        <p class="aside">
          {plan.remediator} by {policy} · <Time at={at} /> · {why}
        </p>
      </div>
    </li>
  )
}
