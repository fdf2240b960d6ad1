import { SEVERITY_WORDS } from '../../../../common/words/severities.ts'
import type { Finding, FindingStatus } from '../../../../detectors/contract.ts'
import { checkTitle } from '../../../../inspection/texts.ts'
import type { ToldState } from '../../../stream/told-state.ts'
import { useLanguage, useSay } from '../language.ts'
import { FINDING_TEXTS } from '../texts/findings.ts'
import { FINDING_TONES } from '../tones.ts'
import { Evidence } from './approvals.tsx'
import { Said } from './said.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'

const WORST_FIRST: readonly FindingStatus[] = ['error', 'alarm', 'warn', 'unknown', 'info']

interface FindingsProps {
  /** But for those that are fine. */
  readonly findings: readonly Finding[]
  readonly well: ToldState['wellFindings']
  readonly onChooseNode: (node: string) => void
}

export function Findings({ findings, well, onChooseNode }: FindingsProps) {
  const language = useLanguage()
  const say = useSay()
  const shown = findings.toSorted(
    (a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status) || (a.id < b.id ? -1 : 1),
  )
  const { ok: count, notApplicable: absent } = well
  return (
    <Section id="findings" title={say(FINDING_TEXTS.title)} count={shown.length}>
      <ul class="rows">
        {shown.map((finding) => (
          <li key={finding.id} data-testid="finding" data-status={finding.status}>
            <Badge tone={FINDING_TONES[finding.status]}>{say(SEVERITY_WORDS[finding.status])}</Badge>
            <div class="row-text">
              <p>
                <NodeName node={finding.node} onChoose={onChooseNode} /> {finding.summary}
              </p>
              <p class="aside">
                <Said
                  text={FINDING_TEXTS.about}
                  values={{
                    reason: finding.reason,
                    check: checkTitle({ check: finding.detector }, language),
                    at: <Time at={finding.since} />,
                  }}
                />
              </p>
              <Evidence measures={finding.evidence} />
            </div>
          </li>
        ))}
      </ul>
      <p class="folded" data-testid="findings-fine">
        {say(absent > 0 ? FINDING_TEXTS.fineAndAbsent : FINDING_TEXTS.fine, { count, absent })}
      </p>
    </Section>
  )
}
