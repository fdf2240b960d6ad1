import type { VerdictView } from '../../../model.ts'
import { Mark } from './mark.tsx'
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
                <NodeName node={verdict.node} onChoose={onChooseNode} />{' '}
                {isCounted(verdict) ? voteCount(verdict.votes, verdict.needed) : 'taken over from another aggregator'}
              </p>
              <p class="aside">
                <Time at={verdict.at} />
                {verdict.endedAt === undefined ? ' until now' : [' to ', <Time key="end" at={verdict.endedAt} />]} ·{' '}
                {isCounted(verdict) ? <Count verdict={verdict} /> : 'by which votes is not known here'}
              </p>
              {verdict.mark !== undefined && <Mark mark={verdict.mark} />}
              {isCounted(verdict) && (
                <details>
                  <summary>Votes</summary>
                  <Votes votes={verdict.votes} />
                </details>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** False for one that was taken over, until its certificate has come. */
function isCounted({ certificate }: VerdictView): boolean {
  return certificate !== ''
}

function Count({ verdict: { id, present, live } }: { verdict: VerdictView }) {
  return (
    <>
      {present} of {live} live nodes were present ·{' '}
      <a href={`/api/v1/verdicts/${encodeURIComponent(id)}/certificate`} download>
        certificate
      </a>
    </>
  )
}
