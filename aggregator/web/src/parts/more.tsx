import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type Language, say } from '../../../../common/languages.ts'
import { INSPECTION_TEXTS } from '../../../../inspection/texts.ts'

/** More rows at once than this make a browser slow. */
const SHOWN_AT_ONCE = 200

interface MoreProps<T> {
  readonly items: readonly T[]
  /** What there is beyond them and cannot be shown. */
  readonly beyond?: number
  readonly language: Language
  /** As a row of a list. */
  readonly show: (item: T) => ComponentChildren
}

/** A list that is as long as a person asks for. */
export function More<T>({ items, beyond = 0, language, show }: MoreProps<T>) {
  const [shown, setShown] = useState(SHOWN_AT_ONCE)
  const hidden = Math.max(0, items.length - shown)
  return (
    <>
      <ul class="rows">{items.slice(0, shown).map(show)}</ul>
      {hidden > 0 && (
        <button type="button" onClick={() => setShown(shown + SHOWN_AT_ONCE)}>
          {say(INSPECTION_TEXTS.more, language, { count: hidden + beyond })}
        </button>
      )}
      {hidden === 0 && beyond > 0 && <p class="folded">{say(INSPECTION_TEXTS.more, language, { count: beyond })}</p>}
    </>
  )
}
