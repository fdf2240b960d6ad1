import type { ComponentChildren } from 'preact'
import { fill, type Text, type ValuesOf } from '../../../../common/languages.ts'
import { useLanguage } from '../language.ts'

interface SaidProps<T extends Text> {
  readonly text: T
  readonly values: ValuesOf<T, ComponentChildren>
}

/** A text in the reader's language with more in it than words, as a time or a link. */
export function Said<T extends Text>({ text, values }: SaidProps<T>) {
  return <>{fill(text, useLanguage(), values)}</>
}
