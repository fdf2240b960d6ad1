/** Rules about the text of a file, whatever language it is in. */
import type { Source } from './source.ts'

/** A file that grows beyond this holds more than one concept. */
export const LINES_MAX = 350

/** Spelt so that it does not find itself. */
const UNFINISHED = /\b(?:TO(?:DO)|FIX(?:ME))\b/
/** The same in every language. */
const NAME = 'Starling'
const TEST_FUNCTIONS = ['describe', 'it', 'test', 'suite', 'bench']

/** The one place that may skip a suite: it says what is missing, and fails instead where CI=true. */
const MAY_SKIP = ['test/real-part.ts']

export function tooLong(file: string, text: string): string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return lines > LINES_MAX ? [`${file} has ${lines} lines, more than ${LINES_MAX}`] : []
}

export function unfinished(file: string, text: string): string[] {
  const found = UNFINISHED.exec(text)
  return found === null ? [] : [`${file} has a ${found[0]} left`]
}

/** Absolute paths that exist on one machine only. `/proc/1/root/etc` is none: it does not begin there. */
export function machinePaths(file: string, text: string): string[] {
  const found = text.match(/(?<![\w/.)}*-])\/(?:home|root|work|Users)\/[\w.-]+/g) ?? []
  return found.map((path) => `${file} names ${path}, a path of one machine`)
}

/** `test.only` silences every other test, and `test.skip` this one, without anybody noticing. */
export function silencedTests(source: Source): string[] {
  if (MAY_SKIP.includes(source.file)) return []
  const silent = TEST_FUNCTIONS.flatMap((name) => [`${name}.only`, `${name}.skip`, `${name}.todo`])
  return silent.filter((name) => source.names.has(name)).map((name) => `${source.file} uses ${name}`)
}

/** Of the page, what is read in one language whatever the reader's: it belongs into a catalogue. */
export function uncatalogued({ file, words }: Source): string[] {
  return words.filter((text) => text !== NAME).map((text) => `${file} says "${text}" in its markup`)
}
