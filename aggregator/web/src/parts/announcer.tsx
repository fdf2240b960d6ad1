import { useEffect, useRef, useState } from 'preact/hooks'
import { type Language, say } from '../../../../common/languages.ts'
import { MEMBER_FLAG_WORDS, MEMBER_STATE_WORDS } from '../../../../common/words/member-states.ts'
import type { MemberView } from '../../../model.ts'
import type { ToldState } from '../../../stream/told-state.ts'
import { useLanguage } from '../language.ts'
import { MEMBER_TEXTS } from '../texts/members.ts'
import { phasePicture } from '../tones.ts'

/** Tells a screen reader what changed; the eye sees it anyway. */
export function Announcer({ snapshot }: { snapshot: ToldState }) {
  const language = useLanguage()
  const last = useRef(snapshot)
  const [text, setText] = useState('')
  useEffect(() => {
    const changes = changesBetween(last.current, snapshot, language)
    last.current = snapshot
    if (changes !== '') setText(changes)
  }, [snapshot, language])
  return (
    <p class="unseen" role="status" aria-live="polite" data-testid="announcer">
      {text}
    </p>
  )
}

function changesBetween(before: ToldState, now: ToldState, language: Language): string {
  const told = new Map(before.members.map((member) => [member.node, standing(member, language)]))
  const members = now.members
    .map((member) => ({ node: member.node, state: standing(member, language) }))
    .filter(({ node, state }) => told.get(node) !== state)
    .map((change) => say(MEMBER_TEXTS.is, language, change))
  const phases = new Map(before.remediations.map(({ plan, phase }) => [plan.id, phase]))
  const remediations = now.remediations
    .filter(({ plan, phase }) => phases.get(plan.id) !== phase)
    .map((remediation) => {
      const { remediator, node } = remediation.plan
      const phase = say(phasePicture(remediation).says, language)
      return say(MEMBER_TEXTS.fix, language, { remediator, node, phase })
    })
  return [...members, ...remediations].join(say(MEMBER_TEXTS.between, language))
}

function standing({ state, flags }: MemberView, language: Language): string {
  const words = [MEMBER_STATE_WORDS[state], ...flags.map((flag) => MEMBER_FLAG_WORDS[flag])]
  return words.map((word) => say(word, language)).join(say(MEMBER_TEXTS.with, language))
}
