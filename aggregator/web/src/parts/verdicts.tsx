import type { VerdictView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { VERDICT_TEXTS } from '../texts/verdicts.ts'
import { verdictWord } from '../words.ts'
import { Mark } from './mark.tsx'
import { Said } from './said.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'
import { countOf, Votes } from './votes.tsx'

interface VerdictsProps {
  readonly verdicts: readonly VerdictView[]
  readonly onChooseNode: (node: string) => void
}

export function Verdicts({ verdicts, onChooseNode }: VerdictsProps) {
  const say = useSay()
  const newestFirst = verdicts.toSorted((a, b) => (a.at < b.at ? 1 : -1))
  return (
    <Section id="verdicts" title={say(VERDICT_TEXTS.title)} count={verdicts.length}>
      {verdicts.length === 0 && <p class="folded">{say(VERDICT_TEXTS.none)}</p>}
      <ul class="rows">
        {newestFirst.map((verdict) => (
          <li key={verdict.id} data-testid={`verdict-${verdict.id}`}>
            <Badge tone={verdict.endedAt === undefined ? 'bad' : 'quiet'}>{say(verdictWord(verdict.kind))}</Badge>
            <div class="row-text">
              <p>
                <NodeName node={verdict.node} onChoose={onChooseNode} />{' '}
                {isCounted(verdict)
                  ? say(VERDICT_TEXTS.count, { ...countOf(verdict.votes), needed: verdict.needed })
                  : say(VERDICT_TEXTS.takenOver)}
              </p>
              <p class="aside">
                <Length verdict={verdict} /> ·{' '}
                {isCounted(verdict) ? <Count verdict={verdict} /> : say(VERDICT_TEXTS.votesUnknown)}
              </p>
              {verdict.mark !== undefined && <Mark mark={verdict.mark} />}
              {isCounted(verdict) && (
                <details>
                  <summary>{say(VERDICT_TEXTS.votes)}</summary>
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

function Length({ verdict: { at, endedAt } }: { verdict: VerdictView }) {
  const from = <Time at={at} />
  if (endedAt === undefined) return <Said text={VERDICT_TEXTS.untilNow} values={{ from }} />
  return <Said text={VERDICT_TEXTS.until} values={{ from, to: <Time at={endedAt} /> }} />
}

function Count({ verdict: { id, present, live } }: { verdict: VerdictView }) {
  const say = useSay()
  return (
    <>
      {say(VERDICT_TEXTS.present, { present, live })} ·{' '}
      <a href={`/api/v1/verdicts/${encodeURIComponent(id)}/certificate`} download>
        {say(VERDICT_TEXTS.certificate)}
      </a>
    </>
  )
}
