import type { Finding, FindingStatus } from '../../../../detectors/contract.ts'
import type { ToldState } from '../../../stream/told-state.ts'
import { FINDING_TONES } from '../tones.ts'
import { Evidence } from './approvals.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'

const WORST_FIRST: readonly FindingStatus[] = ['error', 'alarm', 'warn', 'unknown', 'info']

interface FindingsProps {
  /** But for those that are fine. */
  readonly findings: readonly Finding[]
  readonly well: ToldState['wellFindings']
  readonly onChooseNode: (node: string) => void
}

export function Findings({ findings, well, onChooseNode }: FindingsProps) {
  const shown = findings.toSorted(
    (a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status) || (a.id < b.id ? -1 : 1),
  )
  return (
    <Section id="findings" title="Findings" count={shown.length}>
      <ul class="rows">
        {shown.map((finding) => (
          <li key={finding.id} data-testid="finding" data-status={finding.status}>
            <Badge tone={FINDING_TONES[finding.status]}>{finding.status}</Badge>
            <div class="row-text">
              <p>
                <NodeName node={finding.node} onChoose={onChooseNode} /> {finding.summary}
              </p>
              <p class="aside">
                {finding.reason} · {finding.detector} · since <Time at={finding.since} />
              </p>
              <Evidence measures={finding.evidence} />
            </div>
          </li>
        ))}
      </ul>
      <p class="folded" data-testid="findings-fine">
        {well.ok} {well.ok === 1 ? 'check is' : 'checks are'} fine
        {well.notApplicable > 0 && `, ${well.notApplicable} not applicable`}.
      </p>
    </Section>
  )
}
