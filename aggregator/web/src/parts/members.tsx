import { useEffect, useState } from 'preact/hooks'
import { MEMBER_FLAG_WORDS, MEMBER_STATE_WORDS } from '../../../../common/words/member-states.ts'
import type { MemberState, MemberView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { MEMBER_TEXTS } from '../texts/members.ts'
import { MEMBER_TONES, memberTone } from '../tones.ts'
import { Mark } from './mark.tsx'
import { Said } from './said.tsx'
import { Badge, NodeName, Section, Time } from './small.tsx'
import { Votes } from './votes.tsx'
import { WhoSees } from './who-sees.tsx'

interface MembersProps {
  readonly members: readonly MemberView[]
  /** `performance.now()` of when they came. */
  readonly receivedAt: number
  readonly onChooseNode: (node: string) => void
}

const WORST_FIRST: readonly MemberState[] = [
  'NodeDown',
  'HostHung',
  'Isolated',
  'AgentDown',
  'suspected',
  'unseen',
  'alive',
  'left',
]

const byName = new Intl.Collator('en', { numeric: true })

export function Members({ members, receivedAt, onChooseNode }: MembersProps) {
  const say = useSay()
  const sorted = members.toSorted((a, b) => rank(a) - rank(b) || byName.compare(a.node, b.node))
  return (
    <Section id="members" title={say(MEMBER_TEXTS.title)} count={members.length}>
      <ul class="tiles">
        {sorted.map((member) => (
          <li
            key={member.node}
            class={`tile edge-${memberTone(member)}`}
            data-testid={`member-${member.node}`}
            data-state={member.state}
          >
            <div class="tile-head">
              <NodeName node={member.node} onChoose={onChooseNode} />
              <span class="chips">
                <Badge tone={MEMBER_TONES[member.state]}>{say(MEMBER_STATE_WORDS[member.state])}</Badge>
                {member.flags.map((flag) => (
                  <Badge key={flag} tone="warn">
                    {say(MEMBER_FLAG_WORDS[flag])}
                  </Badge>
                ))}
              </span>
            </div>
            <p class="aside">
              <Said
                text={MEMBER_TEXTS.where}
                values={{ zone: member.zone, roles: member.roles.join(', '), at: <Time at={member.since} /> }}
              />
            </p>
            <p class="aside">
              <Coverage member={member} />
            </p>
            {member.mark !== undefined && <Mark mark={member.mark} />}
            {member.decidesInMs !== undefined && <Countdown untilMs={receivedAt + member.decidesInMs} />}
            <WhoSees
              node={member.node}
              title={say(MEMBER_TEXTS.heardBy, { heard: member.seenBy.length, of: member.observers.length })}
            />
            {member.votes.length > 0 && (
              <details>
                <summary>
                  <SilentCount member={member} />
                </summary>
                <Votes votes={member.votes} />
              </details>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}

/** Worst first, and one with bad links before the others of its state. */
function rank({ state, flags }: MemberView): number {
  return WORST_FIRST.indexOf(state) - (flags.length > 0 ? 0.5 : 0)
}

function SilentCount({ member: { votes, needed } }: { member: MemberView }) {
  const say = useSay()
  const silent = votes.filter(({ opinion }) => opinion === 'silent').length
  return needed === null ? say(MEMBER_TEXTS.silentTooFew, { silent }) : say(MEMBER_TEXTS.silent, { silent, needed })
}

/** Whether its death would be found: a node that too few could convict looks alive for ever. */
function Coverage({ member: { coveredBy, observers, needed } }: { member: MemberView }) {
  const say = useSay()
  const of = observers.length
  const covered = coveredBy.length
  if (needed === null) return say(MEMBER_TEXTS.tooFew, { of })
  return say(covered < needed ? MEMBER_TEXTS.notCovered : MEMBER_TEXTS.covered, { covered, of, needed })
}

/** HostHung waits for the slow path, so a person watching wants to know for how long still. */
function Countdown({ untilMs }: { untilMs: number }) {
  const say = useSay()
  const [now, setNow] = useState(performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((untilMs - now) / 1000))
  return (
    <p class="countdown" data-testid="countdown">
      {seconds > 0 ? say(MEMBER_TEXTS.hungIn, { seconds }) : say(MEMBER_TEXTS.hungNow)}
    </p>
  )
}
