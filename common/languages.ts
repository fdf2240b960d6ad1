/** What people are told, in the languages that they read. One table of texts serves mails, page and command line. */

export const LANGUAGES = ['en', 'zh'] as const
/** English, and Simplified Chinese. */
export type Language = (typeof LANGUAGES)[number]

/** One text in each language; `{name}` stands for a value. */
export type Text = Readonly<Record<Language, string>>

/** The text with its values in place. Throws an Error for a place without a value: that is a mistake in the caller. */
export function say(text: Text, language: Language, values: Readonly<Record<string, string | number>> = {}): string {
  return text[language].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`"${text[language]}" lacks ${name}`)
    return String(value)
  })
}
