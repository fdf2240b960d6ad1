/** What rsyslog and systemd-journald are told to keep, from the text of their files. */

/** By number, the most urgent first: syslog(3). */
export const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const
export type Level = (typeof LEVELS)[number]

const OTHER_NAMES: Readonly<Record<string, Level>> = { panic: 'emerg', error: 'err', warn: 'warning', '*': 'debug' }

/** Undefined for a word that is no level. journald also takes numbers, and both of them other names. */
export function levelOf(word: string): Level | undefined {
  const name = word.toLowerCase()
  return LEVELS.find((level, number) => level === name || String(number) === name) ?? OTHER_NAMES[name]
}

/** A rule of rsyslog that takes messages of every facility. */
export interface CatchAll {
  readonly selector: string
  readonly action: string
  /** The least urgent that it takes. */
  readonly level: Level
}

/**
 * The rules of the classic form, `*.info;mail.none /var/log/messages`. Those in RainerScript are passed over, as are rules
 * that throw away, and selectors with exclusions, which can mean anything.
 */
export function catchAllRules(text: string): readonly CatchAll[] {
  const lines = text.replace(/\\\n\s*/g, '').split('\n')
  return lines.flatMap((line) => {
    const [, selector = '', action = ''] = /^\s*([\w*,.;=!]+\.[\w*,.;=!]+)\s+(\S.*?)\s*$/.exec(line) ?? []
    if (selector === '' || action === '~' || action === 'stop' || selector.includes('!')) return []
    const levels = selector.split(';').flatMap((part) => {
      const [facilities = '', priority = ''] = part.split('.')
      const level = facilities.split(',').includes('*') ? levelOf(priority.replace('=', '')) : undefined
      return level === undefined ? [] : level
    })
    const level = levels.toSorted((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a))[0]
    return level === undefined ? [] : { selector, action, level }
  })
}

/** The settings of the section [Journal], a later file before an earlier one: journald.conf(5). */
export function journalSettings(texts: readonly string[]): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const text of texts) {
    let section = ''
    for (const line of text.split('\n').map((one) => one.trim())) {
      if (line.startsWith('#') || line.startsWith(';')) continue
      if (line.startsWith('[')) section = line
      const [, key = '', value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
      if (section === '[Journal]' && key !== '') settings.set(key, value)
    }
  }
  return settings
}
