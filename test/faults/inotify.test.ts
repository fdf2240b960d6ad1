import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsLinux, needsProgram, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

/** Nobody else on this machine is this user, so nobody misses what it uses up. */
const USER = 61_234

/** inotify_init1(2) has a number of its own on each kind of machine. */
const INIT = process.arch === 'arm64' ? 26 : 294
/** Takes instances until the kernel refuses, and keeps them. */
const EXHAUST = `1 while syscall(${INIT}, 0) >= 0; sleep 60`

describeReal('a user without inotify instances', needsLinux() ?? needsRoot() ?? needsProgram('perl'), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
  })
  afterEach(() => inside.end())

  const look = async () =>
    found(await inside.look('inotify-exhausted', { linksMax: 100_000 })).filter((text) => text.includes(`uid ${USER}`))
  it('is found when the kernel refuses the next one, and well when they are given back', async () => {
    expect(await look()).toEqual([])
    const start = `setpriv --reuid ${USER} --clear-groups perl -e '${EXHAUST}' >/dev/null 2>&1 & echo $!`
    const holder = (await inside.run('sh', '-c', start)).trim()
    await vi.waitFor(
      async () =>
        expect(await look()).toEqual([
          `InotifyFilling uid ${USER} instances`,
          `InotifyExhausted uid ${USER} instances`,
        ]),
      { timeout: 15_000 },
    )
    await inside.run('kill', '-KILL', holder)
    await vi.waitFor(async () => expect(await look()).toEqual([]), { timeout: 15_000 })
  })
})
