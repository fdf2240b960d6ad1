import type { VoteView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { OPINION_TEXTS, VERDICT_TEXTS } from '../texts/verdicts.ts'
import { OPINION_TONES } from '../tones.ts'
import { channelWord } from '../words.ts'
import { Badge } from './small.tsx'

const HEADS = ['voter', 'zone', 'says', 'hostAnswers', 'for'] as const

/** Each observer's vote: what it holds the node for, and what the host itself answered it. */
export function Votes({ votes }: { votes: readonly VoteView[] }) {
  const say = useSay()
  return (
    <div class="scroll-x">
      <table class="votes">
        <thead>
          <tr>
            {HEADS.map((head) => (
              <th key={head} scope="col">
                {say(VERDICT_TEXTS[head])}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {votes.map((vote) => (
            <tr key={vote.voter}>
              <td>{vote.voter}</td>
              <td>{vote.zone}</td>
              <td>
                <Badge tone={OPINION_TONES[vote.opinion]}>{say(OPINION_TEXTS[vote.opinion])}</Badge>
              </td>
              <td>{say(channelWord(vote.channel))}</td>
              <td>{say(VERDICT_TEXTS.seconds, { count: (vote.forMs / 1000).toFixed(1) })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** How many are for the node being down, against it, and neither. */
export function countOf(votes: readonly VoteView[]) {
  const count = (opinion: VoteView['opinion']) => votes.filter((vote) => vote.opinion === opinion).length
  return { silent: count('silent'), alive: count('alive'), abstained: count('abstain') }
}
