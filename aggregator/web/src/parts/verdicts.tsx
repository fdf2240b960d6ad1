import type { VerdictView } from '../../../model.ts'
import { Badge, NodeName, Section, Time } from './small.tsx'
import { Votes, voteCount } from './votes.tsx'

interface VerdictsProps {
  readonly verdicts: readonly VerdictView[]
  readonly onChooseNode: (node: string) => void
}

export function Verdicts({ verdicts, onChooseNode }: VerdictsProps) {
  const newestFirst = verdicts.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  return (
    <Section id="verdicts" title="Verdicts" count={verdicts.length}>
      {verdicts.length === 0 && <p class="folded">The mesh has not found any node to be down.</p>}
      <ul class="rows">
        {newestFirst.map((verdict) => (
          <li key={verdict.id} data-testid={`verdict-${verdict.id}`}>
            <Badge tone={verdict.endedAt === undefined ? 'bad' : 'quiet'}>{verdict.kind}</Badge>
            <div class="row-text">
              <p>
                <NodeName node={verdict.node} onChoose={onChooseNode} /> {voteCount(verdict.votes, verdict.needed)}
              </p>
              <p class="aside">
                <Time at={verdict.at} />
                {verdict.endedAt === undefined ? ' until now' : [' to ', <Time key="end" at={verdict.endedAt} />]} ·{' '}
                {verdict.present} of {verdict.live} live nodes were present ·{' '}
                <a href={`/api/v1/verdicts/${encodeURIComponent(verdict.id)}/certificate`} download>
                  certificate
                </a>
              </p>
              <details>
                <summary>Votes</summary>
                <Votes votes={verdict.votes} />
              </details>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}
