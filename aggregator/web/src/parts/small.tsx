/** The smallest parts, used all over the page. */
import type { ComponentChildren } from 'preact'
import { localeOf, useLanguage, useSay } from '../language.ts'
import { MEMBER_TEXTS } from '../texts/members.ts'
import { fullTime, shortTime } from '../time.ts'

/** `quiet` is for what needs no attention, such as a node that has left. */
export type Tone = 'good' | 'warn' | 'bad' | 'act' | 'info' | 'quiet'

const MARKS: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '✕', act: '◆', info: '○', quiet: '–' }

interface BadgeProps {
  readonly tone: Tone
  /** Other than the tone's own. */
  readonly mark?: string
  readonly children: ComponentChildren
}

/** A state in words. The mark and the colour only repeat what the words say. */
export function Badge({ tone, mark = MARKS[tone], children }: BadgeProps) {
  return (
    <span class={`badge tone-${tone}`}>
      <span aria-hidden="true">{mark}</span> {children}
    </span>
  )
}

export function Time({ at }: { at: string | number }) {
  const locale = localeOf(useLanguage())
  return (
    <time dateTime={new Date(at).toString() === 'Invalid Date' ? '' : new Date(at).toISOString()} title={fullTime(at)}>
      {shortTime(at, locale)}
    </time>
  )
}

/** A part of the page under a heading, with how many things are in it. */
export function Section(props: { id: string; title: string; count?: number; children: ComponentChildren }) {
  const { id, title, count, children } = props
  return (
    <section id={id} aria-labelledby={`${id}-title`} data-testid={id}>
      <h2 id={`${id}-title`}>
        {title} {count !== undefined && <span class="count">{count}</span>}
      </h2>
      {children}
    </section>
  )
}

/** A node's name; choosing it shows that node's events. */
export function NodeName({ node, onChoose }: { node: string; onChoose: (node: string) => void }) {
  const say = useSay()
  return (
    <button
      type="button"
      class="node-name"
      title={say(MEMBER_TEXTS.showEvents, { node })}
      onClick={() => onChoose(node)}
    >
      {node}
    </button>
  )
}
