import type { VoteView } from '../../../model.ts'
import { OPINION_TONES } from '../tones.ts'
import { Badge } from './small.tsx'

/** Each observer's vote: what it holds the node for, and what the host itself answered it. */
export function Votes({ votes }: { votes: readonly VoteView[] }) {
  return (
    <div class="scroll-x">
      <table class="votes">
        <thead>
          <tr>
            <th scope="col">Voter</th>
            <th scope="col">Zone</th>
            <th scope="col">Says</th>
            <th scope="col">Host answers</th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {votes.map((vote) => (
            <tr key={vote.voter}>
              <td>{vote.voter}</td>
              <td>{vote.zone}</td>
              <td>
                <Badge tone={OPINION_TONES[vote.opinion]}>{vote.opinion}</Badge>
              </td>
              <td>{vote.channel}</td>
              <td>{(vote.forMs / 1000).toFixed(1)} s</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** `3 for, 0 against, 1 abstained; 3 needed`: for and against the node being down. */
export function voteCount(votes: readonly VoteView[], needed: number): string {
  const count = (opinion: VoteView['opinion']) => votes.filter((vote) => vote.opinion === opinion).length
  return `${count('silent')} for, ${count('alive')} against, ${count('abstain')} abstained; ${needed} needed`
}
