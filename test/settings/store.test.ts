import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acceptSettings, SIGNED_SETTINGS_BYTES_MAX, signSettings } from '../../settings/signed.ts'
import { loadSettings, saveSettings } from '../../settings/store.ts'
import { meshKey, sampleDocument } from './sample.ts'

const key = meshKey()
let stateDir = ''

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'starling-settings-'))
})
afterEach(() => rm(stateDir, { recursive: true }))

const load = () => loadSettings(stateDir, (bytes) => acceptSettings(null, bytes, 'prod-a', key.verify))

describe('settings on disk', () => {
  test('are none at first, then the last that were saved', async () => {
    expect(await load()).toEqual({ kind: 'none' })
    await saveSettings(stateDir, signSettings(sampleDocument(1), key.sign))
    const second = signSettings(sampleDocument(2), key.sign)
    await saveSettings(stateDir, second)
    expect(await load()).toEqual({ kind: 'loaded', settings: second })
  })

  test('leave no other file behind and are for the agent alone', async () => {
    await saveSettings(stateDir, signSettings(sampleDocument(1), key.sign))
    expect(await readdir(stateDir)).toEqual(['settings'])
    expect((await stat(join(stateDir, 'settings'))).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['half of a file', Buffer.from([0xa2, 0x01])],
    ['more than is allowed', Buffer.alloc(SIGNED_SETTINGS_BYTES_MAX + 10)],
    ['nothing at all', Buffer.alloc(0)],
  ])('are put aside and reported when they are %s', async (_what, content) => {
    await writeFile(join(stateDir, 'settings'), content)
    const loaded = await load()
    expect(loaded).toMatchObject({ kind: 'refused', keptAs: join(stateDir, 'settings.refused') })
    expect((await readFile(join(stateDir, 'settings.refused'))).equals(content)).toBe(true)
    expect(await load()).toEqual({ kind: 'none' })
  })

  test('are put aside when another mesh signed them', async () => {
    await saveSettings(stateDir, signSettings(sampleDocument(1), meshKey().sign))
    expect(await load()).toMatchObject({ kind: 'refused', why: expect.stringContaining('signature') })
  })

  test('stay as they were when they cannot be written', async () => {
    const first = signSettings(sampleDocument(1), key.sign)
    await saveSettings(stateDir, first)
    // A folder where the new file would go: unlike a permission, it stops root too.
    await mkdir(join(stateDir, `settings.tmp-${process.pid}`))
    await expect(saveSettings(stateDir, signSettings(sampleDocument(2), key.sign))).rejects.toThrow()
    expect(await load()).toEqual({ kind: 'loaded', settings: first })
  })
})
