/** What people are told, in the languages that they read. One table of texts serves mails, page and command line. */

export const LANGUAGES = ['en', 'zh'] as const
/** English, and Simplified Chinese. */
export type Language = (typeof LANGUAGES)[number]

/** As documents name the language that they are in (BCP 47). */
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-Hans' }

/** What stands between the parts of a list, and between sentences that share a line. */
export const COMMAS: Text = { en: ', ', zh: '、' }
export const SEMICOLONS: Text = { en: '; ', zh: '；' }

/**
 * One text in each language. `{name}` stands for a value, `{name|one|many}` for the word that goes with that number, as in
 * `{count} {count|node|nodes}`.
 */
export type Text = Readonly<Record<Language, string>>

/** What a text of a catalogue has places for, as the compiler reads it; any names for one that it cannot read. */
type PlacesIn<S extends string> = string extends S
  ? string
  : S extends `${string}{${infer Place}}${infer Rest}`
    ? (Place extends `${infer Name}|${string}` ? Name : Place) | PlacesIn<Rest>
    : never

/** By the names of the text's places. */
export type ValuesOf<T extends Text, V> = Readonly<Record<PlacesIn<T['en']>, V>>

/** They may be left out for a text without places, and for one that the compiler cannot read. */
export type Values<T extends Text> = string extends T['en']
  ? [values?: ValuesOf<T, string | number>]
  : [PlacesIn<T['en']>] extends [never]
    ? []
    : [values: ValuesOf<T, string | number>]

/** The text with its values in place. Throws an Error for a place without a value: that is a mistake in the caller. */
export function say<T extends Text>(text: T, language: Language, ...[values]: Values<T>): string {
  return fill<Text, string | number>(text, language, values ?? {}).join('')
}

/** The same in pieces, where values are more than words, as a link. */
export function fill<T extends Text, V>(text: T, language: Language, values: ValuesOf<T, V>): readonly (V | string)[] {
  const found: Readonly<Record<string, V>> = values
  return piecesOf(text[language]).flatMap((piece): readonly (V | string)[] => {
    if (typeof piece === 'string') return piece === '' ? [] : [piece]
    const value = found[piece.name]
    if (value === undefined) throw new Error(`"${text[language]}" lacks ${piece.name}`)
    if (piece.forms === undefined) return [value]
    return [String(value) === '1' ? piece.forms.one : piece.forms.many]
  })
}

/** The names that stand in a text for its values. */
export function placesOf(text: string): ReadonlySet<string> {
  return new Set(piecesOf(text).flatMap((piece) => (typeof piece === 'string' ? [] : [piece.name])))
}

interface Place {
  readonly name: string
  readonly forms?: { readonly one: string; readonly many: string }
}

function piecesOf(text: string): readonly (string | Place)[] {
  const pieces: (string | Place)[] = []
  let end = 0
  for (const found of text.matchAll(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g)) {
    const [whole, name = '', one, many] = found
    pieces.push(text.slice(end, found.index), {
      name,
      ...(one === undefined || many === undefined ? {} : { forms: { one, many } }),
    })
    end = found.index + whole.length
  }
  return [...pieces, text.slice(end)]
}
