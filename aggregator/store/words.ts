/** Names that many rows share, each kept once: kinds, tones, nodes. A row has its number. */
import type { DatabaseSync } from 'node:sqlite'

export interface Words {
  /** Of each, made when it is new. One that is rolled back takes the name with it: see `forget`. */
  numbersOf(words: readonly string[]): readonly number[]
  /** Undefined for one that no row has. */
  numberOf(word: string): number | undefined
  /** Throws an Error when the name is gone. */
  wordOf(number: number): string
  /** Looks everything up again: what was made in a transaction that was rolled back is gone. */
  forget(): void
}

export function wordsOf(database: DatabaseSync): Words {
  const selectNumber = database.prepare('SELECT number FROM words WHERE word = ?')
  const selectWord = database.prepare('SELECT word FROM words WHERE number = ?')
  // Another process may have made it in between.
  const insert = database.prepare('INSERT INTO words (word) VALUES (?) ON CONFLICT (word) DO NOTHING')
  const numbers = new Map<string, number>()
  const words = new Map<number, string>()

  const numberOf = (word: string): number | undefined => {
    const known = numbers.get(word) ?? selectNumber.get(word)?.number
    if (known === undefined) return undefined
    numbers.set(word, Number(known))
    return Number(known)
  }
  return {
    numberOf,
    numbersOf: (all) =>
      all.map((word) => {
        const known = numberOf(word)
        if (known !== undefined) return known
        insert.run(word)
        return numberOf(word) ?? Number.NaN
      }),
    wordOf(number) {
      const known = words.get(number) ?? selectWord.get(number)?.word
      if (typeof known !== 'string') throw new Error(`name ${number} is gone: the history was changed`)
      words.set(number, known)
      return known
    },
    forget() {
      numbers.clear()
      words.clear()
    },
  }
}
