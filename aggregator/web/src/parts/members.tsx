import { useEffect, useState } from 'preact/hooks'
import type { MemberState, MemberView } from '../../../model.ts'
import { MEMBER_TONES, memberTone } from '../tones.ts'
import { Mark } from './mark.tsx'
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
  const sorted = members.toSorted((a, b) => rank(a) - rank(b) || byName.compare(a.node, b.node))
  return (
    <Section id="members" title="Members" count={members.length}>
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
                <Badge tone={MEMBER_TONES[member.state]}>{member.state}</Badge>
                {member.flags.map((flag) => (
                  <Badge key={flag} tone="warn">
                    {flag}
                  </Badge>
                ))}
              </span>
            </div>
            <p class="aside">
              zone {member.zone} · {member.roles.join(', ')} · since <Time at={member.since} />
            </p>
            <p class="aside">{coverage(member)}</p>
            {member.mark !== undefined && <Mark mark={member.mark} />}
            {member.decidesInMs !== undefined && <Countdown untilMs={receivedAt + member.decidesInMs} />}
            <WhoSees
              node={member.node}
              title={`heard by ${member.seenBy.length} of ${member.observers.length} observers`}
            />
            {member.votes.length > 0 && (
              <details>
                <summary>{silentCount(member)}</summary>
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

function silentCount({ votes, needed }: MemberView): string {
  const silent = votes.filter(({ opinion }) => opinion === 'silent').length
  return needed === null ? `${silent} silent, too few for a verdict` : `${silent} silent, ${needed} needed`
}

/** Whether its death would be found: a node that too few could convict looks alive for ever. */
function coverage({ coveredBy, observers, needed }: MemberView): string {
  if (needed === null) return `too few observers (${observers.length}) for a verdict`
  const ready = `covered by ${coveredBy.length} of ${observers.length} observers`
  return coveredBy.length < needed ? `${ready}: not yet enough, ${needed} needed` : ready
}

/** HostHung waits for the slow path, so a person watching wants to know for how long still. */
function Countdown({ untilMs }: { untilMs: number }) {
  const [now, setNow] = useState(performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((untilMs - now) / 1000))
  return (
    <p class="countdown" data-testid="countdown">
      {seconds > 0 ? `HostHung decidable in ${seconds}\u00a0s` : 'HostHung decidable now'}
    </p>
  )
}
