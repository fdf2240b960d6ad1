import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StarlingError } from '../../common/errors.ts'
import { createFixStore } from '../../remediators/store.ts'
import { permitted, run } from './steps.ts'

describe('the state of fixes on disk', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starling-store-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const file = () => join(folder, 'fixes/state.json')
  const { state } = run(permitted)

  it('is read as it was written', async () => {
    const store = createFixStore(folder)
    await store.load()
    await store.save(state)
    expect(await createFixStore(folder).load()).toEqual(state)
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, -10)],
    ['empty', () => ''],
    ['changed in a plan', (text: string) => text.replaceAll('"after":"10"', '"after":"99"')],
    ['in no known phase', (text: string) => text.replace('"phase":"permitted"', '"phase":"done"')],
    ['of another format', (text: string) => text.replace('"format":2', '"format":1')],
  ])('that is %s is not gone on from', async (_, damage) => {
    const store = createFixStore(folder)
    await store.load()
    await store.save(state)
    await writeFile(file(), damage(await readFile(file(), 'utf8')))
    const error = await store.load().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StarlingError)
    expect((error as StarlingError).message).toContain(`${file()} is damaged`)
    expect((error as StarlingError).remedy).toContain('delete the file')
  })
})
