/** What went wrong: in the reader's language where the page says it, else in the words of the aggregator or the browser. */
import { type Language, say, type Text } from '../../../common/languages.ts'

export class Failure extends Error {
  override name = 'Failure'
  readonly text: Text
  readonly values: Readonly<Record<string, string | number>>

  constructor(text: Text, values: Readonly<Record<string, string | number>> = {}) {
    super(say(text, 'en', values))
    this.text = text
    this.values = values
  }
}

/** For people. */
export function reasonOf(error: unknown, language: Language): string {
  if (error instanceof Failure) return say(error.text, language, error.values)
  return error instanceof Error ? error.message : String(error)
}
