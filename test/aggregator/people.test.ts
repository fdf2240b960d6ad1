/** People who are known by name: the file of them, their tokens, and whose approvals count together. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countedWith, personBehind, standingNow } from '../../aggregator/four-eyes.ts'
import { formatPeople, makePerson, mayDo, type Person, readPeople, whoseToken } from '../../aggregator/people.ts'
import { PeopleFile, writePeople } from '../../aggregator/people-file.ts'
import { UsageError } from '../../common/errors.ts'
import { silentLog } from '../../common/log.ts'
import { decisionOf } from '../remediators/guards/views.ts'

const SINCE = '2026-01-31T12:00:00.000Z'
const ada = makePerson({ name: 'ada', right: 'approve' }, SINCE)
const grace = makePerson({ name: 'grace', right: 'admin' }, SINCE)
const hedy = makePerson({ name: 'hedy', right: 'view' }, SINCE)
const PEOPLE = [ada.person, grace.person, hedy.person]

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-people-'))
  file = join(dir, 'people.yaml')
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('the file', () => {
  it('is read as it was written, by its owner alone, and holds no token', async () => {
    await writePeople(file, PEOPLE)
    expect(readPeople(file)).toEqual(PEOPLE)
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    const text = readFileSync(file, 'utf8')
    for (const { token } of [ada, grace, hedy]) expect(text).not.toContain(token)
  })

  it.skipIf(process.getuid?.() !== 0)("stays its owner's when root writes it", async () => {
    await writePeople(file, [])
    const { chownSync } = await import('node:fs')
    chownSync(file, 65_534, 65_534)
    await writePeople(file, PEOPLE)
    expect(statSync(file)).toMatchObject({ uid: 65_534, gid: 65_534 })
  })

  const text = formatPeople(PEOPLE)
  const cut = (from: string, to: string) => text.replace(from, to)
  it.each([
    ['two with one name', cut('name: grace', 'name: ada'), ':7: people.1.name: ada is there twice'],
    ['one token of two', cut(grace.person.token, ada.person.token), ':9: people.1.token: is that of ada too'],
    [
      'a hash that is too short',
      cut(grace.person.token, grace.person.token.slice(0, -1)),
      ':9: people.1.token: must be',
    ],
    ['a token in place of its hash', cut(grace.person.token, grace.token), ':9: people.1.token: must be sha256:'],
    ['the name of the shared token', cut('name: grace', 'name: local-token'), ':7: people.1.name: must be another'],
    ['a name with a space', cut('name: grace', 'name: grace h'), ':7: people.1.name: must be 1 to 63'],
    ['an unknown right', cut('right: admin', 'right: root'), ':8: people.1.right: '],
    ['a key that is misspelt', cut('right: admin', 'rigth: admin'), ':8: unknown key "rigth"'],
    ['a key that is missing', cut('    right: admin\n', ''), ':7: people.1.right: '],
    ['no time', cut(`since: ${SINCE}`, 'since: yesterday'), ':6: people.0.since: '],
    ['no list', 'people: ada\n', ':1: people: '],
    ['half of it', text.slice(0, text.indexOf('right: admin') + 4), ':8: '],
    ['no YAML', 'people: [', ':1: not valid YAML'],
    ['binary', '\u0000\u0001\u0002people', ''],
    ['huge', `#${'x'.repeat(1024 * 1024)}`, ' is larger than 1 MiB'],
  ])('that has %s is refused with its line', (_, content, says) => {
    writeFileSync(file, content)
    let error: unknown
    try {
      readPeople(file)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toContain(`${file}${says}`)
  })

  it('is read again when it changes; while it is damaged those stay who were known, and without it nobody is', async () => {
    const told: object[] = []
    const log = { ...silentLog, error: (fields: object) => void told.push(fields) }
    const known = new PeopleFile(file, log)
    const names = () => known.people.map(({ name }) => name)
    const eventually = vi.waitFor.bind(vi)
    const within = { timeout: 20_000, interval: 50 }
    try {
      expect(names()).toEqual([])
      await writePeople(file, PEOPLE)
      await eventually(() => expect(names()).toEqual(['ada', 'grace', 'hedy']), within)
      writeFileSync(file, text.replace('name: grace', 'name: ada'))
      await eventually(() => expect(told).toHaveLength(1), within)
      expect(told[0]).toMatchObject({ err: expect.stringContaining('twice'), people: ['ada', 'grace', 'hedy'] })
      expect(names()).toEqual(['ada', 'grace', 'hedy'])
      await writePeople(file, [grace.person])
      await eventually(() => expect(names()).toEqual(['grace']), within)
      rmSync(file)
      await eventually(() => expect(names()).toEqual([]), within)
    } finally {
      known.stop()
    }
  })

  it('that is damaged at the start is told of, and nobody is known', () => {
    writeFileSync(file, 'people: 7\n')
    const told: object[] = []
    const known = new PeopleFile(file, { ...silentLog, error: (fields: object) => void told.push(fields) })
    known.stop()
    expect([known.people, told]).toEqual([
      [],
      [expect.objectContaining({ err: expect.stringContaining(':1: people') })],
    ])
  })
})

it('a token is that of one person, whole, and of nobody else', () => {
  expect(whoseToken(PEOPLE, grace.token)?.name).toBe('grace')
  for (const wrong of ['', 'x', grace.token.slice(0, -1), `${grace.token}x`, grace.person.token]) {
    expect(whoseToken(PEOPLE, wrong)).toBeUndefined()
  }
  expect(whoseToken([], ada.token)).toBeUndefined()
})

it('a right holds those before it', () => {
  const rights = (person: Person) => (['view', 'approve', 'admin'] as const).filter((right) => mayDo(person, right))
  expect(PEOPLE.map(rights)).toEqual([['view', 'approve'], ['view', 'approve', 'admin'], ['view']])
})

describe('behind an approval', () => {
  const at = (seconds: number) => new Date(Date.parse(SINCE) + seconds * 1_000).toISOString()
  const by = (name: string, seconds = 0, parts: Parameters<typeof decisionOf>[0] = {}) =>
    decisionOf({ id: `${name}-${seconds}`, by: name, at: at(seconds), ...parts })

  it.each([
    ['is who said it, by page, command line or API', by('ada'), 'ada'],
    ['is nobody who may only look', by('hedy'), undefined],
    ['is nobody who is not known', by('alan'), undefined],
    ['is nobody with a token that several share', by('local-token'), undefined],
    ['is nobody who had another token then', by('ada', -1), undefined],
    ['is nobody whom the API did not see', by('ada', 0, { via: 'kubernetes' as never }), undefined],
  ])('%s', (_, decision, person) => {
    expect(personBehind(PEOPLE, decision)).toBe(person)
  })

  it('others count that came within an hour of it, before or after', () => {
    const approvals = [by('grace'), by('alan', 5), by('ada', 3_600), by('grace', 7_201)]
    const counted = (id: string) => countedWith(id, approvals, PEOPLE).map(({ person }) => person)
    expect(counted('ada-3600')).toEqual(['grace', undefined, 'ada'])
    expect(counted('grace-7201')).toEqual(['grace'])
    expect(counted('none')).toEqual([])
  })

  it('stands whoever said it last, once each, for an hour', () => {
    const standing = (seconds: number) =>
      standingNow([by('ada'), by('grace', 60), by('ada', 120)], PEOPLE, Date.parse(at(seconds))).map(
        ({ person, untilMs }) => [person, new Date(untilMs).toISOString()],
      )
    expect(standing(200)).toEqual([
      ['grace', at(3_660)],
      ['ada', at(3_720)],
    ])
    expect(standing(3_661)).toEqual([['ada', at(3_720)]])
    expect(standing(3_721)).toEqual([])
  })
})
