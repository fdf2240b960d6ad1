/**
 * Reads the pattern of a log rule far enough to say two things of it: whether it could take for ever on some line, and which
 * text every line that it matches must hold, so that other lines need not be looked at.
 */

/** A shorter text is in too many lines to tell them apart. */
const LITERAL_LENGTH_MIN = 3
const PATTERN_LENGTH_MAX = 1_000
const DEPTH_MAX = 20

interface Part {
  /** Texts of which each match holds at least one; undefined when nothing can be said. */
  readonly needs: readonly string[] | undefined
  /** It is this one character and nothing else. */
  readonly character?: string
  /** It repeats something without an upper bound. */
  readonly isOpen: boolean
}

/**
 * Texts of which each line that matches holds at least one. Throws an Error that says why such a pattern is not run on the
 * lines of a log.
 */
export function requiredLiterals(pattern: string): readonly string[] {
  if (pattern.length > PATTERN_LENGTH_MAX) throw new Error(`is over ${PATTERN_LENGTH_MAX} characters long`)
  try {
    new RegExp(pattern)
  } catch (error) {
    throw new Error(`is no regular expression: ${(error as Error).message}`)
  }
  const { needs } = new Reader(pattern).read()
  if (needs === undefined) {
    throw new Error(`names no text of at least ${LITERAL_LENGTH_MIN} characters that each of its lines must hold`)
  }
  return needs
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Part {
    return this.#alternatives(0)
  }

  #alternatives(depth: number): Part {
    if (depth > DEPTH_MAX) throw new Error(`is nested over ${DEPTH_MAX} deep`)
    const parts = [this.#sequence(depth)]
    while (this.#text[this.#at] === '|') {
      this.#at += 1
      parts.push(this.#sequence(depth))
    }
    const needs = parts.map((part) => part.needs)
    const all = needs.every((each) => each !== undefined) ? needs.flatMap((each) => each ?? []) : undefined
    return { needs: all, isOpen: parts.some(({ isOpen }) => isOpen) }
  }

  #sequence(depth: number): Part {
    let best: readonly string[] | undefined
    let run = ''
    let isOpen = false
    const offer = (needs: readonly string[] | undefined) => {
      if (needs !== undefined && worth(needs) > worth(best ?? [])) best = needs
    }
    while (this.#at < this.#text.length && this.#text[this.#at] !== '|' && this.#text[this.#at] !== ')') {
      const part = this.#atom(depth)
      const { least, most } = this.#quantifier()
      if (part.isOpen && most > 1) throw new Error('repeats what itself repeats without a bound')
      isOpen ||= part.isOpen || most === Infinity
      if (part.character !== undefined && least === 1 && most === 1) {
        run += part.character
        continue
      }
      // An anchor matches nothing of its own, but what is on both its sides need not be one text.
      offer([run])
      run = ''
      if (least > 0) offer(part.needs)
    }
    offer([run])
    return { needs: worth(best ?? []) >= LITERAL_LENGTH_MIN ? best : undefined, isOpen }
  }

  #atom(depth: number): Part {
    const character = this.#text[this.#at] ?? ''
    this.#at += 1
    if (character === '(') return this.#group(depth)
    if (character === '[') return this.#set()
    if (character === '\\') return this.#escape()
    if ('.^$'.includes(character)) return NOTHING
    return { needs: undefined, character, isOpen: false }
  }

  #group(depth: number): Part {
    const opening = /^(?:\?:|\?<[A-Za-z_]\w*>|\?[=!]|\?<[=!]|\?[a-z-]+:|)/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    if (/[=!]$/.test(opening)) throw new Error('looks ahead or behind, which is not run on the lines of a log')
    this.#at += opening.length
    const inner = this.#alternatives(depth + 1)
    this.#at += 1
    return inner
  }

  #set(): Part {
    while (this.#at < this.#text.length && this.#text[this.#at] !== ']') {
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1
    }
    this.#at += 1
    return NOTHING
  }

  #escape(): Part {
    const escaped = this.#text[this.#at] ?? ''
    this.#at += 1
    if (/[1-9k]/.test(escaped))
      throw new Error('refers back to what it matched, which is not run on the lines of a log')
    if (!/[A-Za-z0-9]/.test(escaped)) return { needs: undefined, character: escaped, isOpen: false }
    // \xHH and \uHHHH: their digits are no text of their own.
    const digits = { x: 2, u: 4 }[escaped] ?? 0
    this.#at += digits
    return NOTHING
  }

  #quantifier(): { readonly least: number; readonly most: number } {
    const written = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.#text.slice(this.#at))?.[0] ?? ''
    this.#at += written.length
    if (written === '') return { least: 1, most: 1 }
    if (written.startsWith('*')) return { least: 0, most: Infinity }
    if (written.startsWith('+')) return { least: 1, most: Infinity }
    if (written.startsWith('?')) return { least: 0, most: 1 }
    const [least = '', most = least] = written.replace(/[{}?]/g, '').split(',')
    return { least: Number(least), most: most === '' ? Infinity : Number(most) }
  }
}

const NOTHING: Part = { needs: undefined, isOpen: false }

/** Of several texts the shortest decides how many lines are looked at. */
function worth(needs: readonly string[]): number {
  return needs.length === 0 ? 0 : Math.min(...needs.map((text) => text.length))
}
