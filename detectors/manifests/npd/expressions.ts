/** Go's regular expressions (RE2) as JavaScript writes them. */

/** Named classes within brackets, which JavaScript does not have. */
const CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
}

export interface Expression {
  readonly pattern: string
  readonly ignoreCase: boolean
}

/**
 * `pattern` of a rule, which node-problem-detector holds against lines so that a match ends where a line does. Throws an Error
 * that says what of it cannot be said here.
 */
export function fromGo(pattern: string): Expression {
  const flags = /^\(\?([a-zA-Z]+)\)/.exec(pattern)
  if (flags !== null && flags[1] !== 'i') throw new Error(`has the flags ${flags[1]}`)
  const bare = pattern.slice(flags?.[0].length ?? 0)
  if (/\\n|\n/.test(bare)) throw new Error('spans several lines, and each line is looked at for itself')
  if (/\(\?[a-zA-Z-]+\)/.test(bare)) throw new Error('changes flags on its way')
  const unknown = /\\[QECapP]|\[\[:\^/.exec(bare)?.[0]
  if (unknown !== undefined) throw new Error(`holds ${unknown}, which JavaScript does not know`)
  const translated = bare
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replace(/\[:([a-z]+):\]/g, (whole, name: string) => CLASSES[name] ?? whole)
  return { pattern: atLineEnd(translated), ignoreCase: flags !== null }
}

/** `.*` at the end says no more than leaving it out, and costs a look at the rest of each line. */
function atLineEnd(pattern: string): string {
  const ended = pattern.replace(/\$$/, '')
  if (/(?<!\\)\.\*$/.test(ended)) return ended.slice(0, -2)
  return ended.includes('|') ? `(?:${ended})$` : `${ended}$`
}
