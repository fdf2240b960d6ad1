/** The catalogues of texts, each of them as it is: every text is there in every language, and has the same places for values. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LANGUAGES, placesOf, type Text } from '../../common/languages.ts'
import { files } from '../tidy/tree.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CATALOGUES = files.filter((file) => /(?:^|\/)(?:[\w-]*texts|(?:texts|words)\/[\w-]+)\.ts$/.test(file))

type Named = readonly [name: string, text: Text]

const isTable = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isText = (value: Record<string, unknown>): value is Text =>
  LANGUAGES.every((language) => typeof value[language] === 'string')

function textsIn(value: unknown, name: string): readonly Named[] {
  if (!isTable(value)) return []
  if (isText(value)) return [[name, value]]
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, `${name}.${key}`))
}

/** What is wrong with it, in words. */
function faultsOf([name, text]: Named): readonly string[] {
  const [places, ...others] = LANGUAGES.map((language) => [...placesOf(text[language])].sort().join(' '))
  return [
    ...LANGUAGES.filter((language) => text[language].trim() === '').map(
      (language) => `${name} is empty in ${language}`,
    ),
    ...LANGUAGES.filter((language) => text[language].replaceAll(/\{\w+(?:\|[^|{}]*){0,2}\}/g, '').match(/[{}|]/)).map(
      (language) => `${name} has a place in ${language} that is none`,
    ),
    ...(others.some((other) => other !== places) ? [`${name} has other places in one language than in another`] : []),
    ...(/\p{Script=Han}/u.test(text.zh) || isOnlyPlaces(text.zh) || text.en === text.zh
      ? []
      : [`${name} is not Chinese`]),
  ]
}

/** A text of values and signs alone. */
function isOnlyPlaces(text: string): boolean {
  return !/\p{L}/u.test(text.replaceAll(/\{[^}]*\}/g, ''))
}

test('there are catalogues', () => {
  expect(CATALOGUES).toEqual(
    expect.arrayContaining(['inspection/texts.ts', 'aggregator/reports/texts.ts', 'common/words/severities.ts']),
  )
})

test.each(CATALOGUES)('%s has each text in every language, with the same places', async (file) => {
  const texts = Object.entries((await import(join(ROOT, file))) as object).flatMap(([name, value]) =>
    textsIn(value, name),
  )
  expect(texts).not.toEqual([])
  expect(texts.flatMap(faultsOf)).toEqual([])
})

describe('what is wrong is found', () => {
  test.each([
    ['an empty text', { en: 'a', zh: '' }],
    ['a place that one of them lacks', { en: '{count} nodes', zh: '多个节点' }],
    ['a place that is not closed', { en: 'since {at', zh: '自 {at}' }],
    ['a choice of three', { en: '{count|a|b|c}', zh: '{count} 个' }],
    ['what was not translated', { en: 'Down', zh: 'down' }],
  ])('%s', (_, text) => expect(faultsOf(['x', text])).not.toEqual([]))
})
