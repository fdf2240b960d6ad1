import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { kernelVersion } from '../../detectors/kernel-version.ts'
import { compareReleases, flavourOf, matchesRelease } from '../../detectors/reading/kernel-release.ts'
import { namesOfTaints } from '../../detectors/reading/kernel-taints.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const judge = (changed: object, options: unknown = {}) =>
  kernelVersion.judge(
    { release: '5.15.0-91-generic', installed: [], taints: 0, ...changed },
    kernelVersion.options.parse(options),
    [],
  )
const listing = (boot: () => Promise<readonly string[]>): Host => ({ ...fixtureHost('kernel-version/ok'), list: boot })

describe('kernel-version', () => {
  it('says nothing of the newest kernel with modules of others in it', async () => {
    expect(await look(kernelVersion, fixtureHost('kernel-version/ok'))).toEqual([])
  })

  it('finds an update that waits, and what happened in the kernel', async () => {
    const judgements = await look(kernelVersion, fixtureHost('kernel-version/bad'), { min: '5.15.0-90' })
    expect(summaries(judgements)).toEqual([
      'the kernel is 5.15.0-89-generic; wanted is 5.15.0-90 or newer',
      'the kernel is 5.15.0-89-generic, and 5.15.0-100-generic is installed',
      'the kernel is tainted: oops (tainted is 4736)',
      'the kernel is tainted: warning (tainted is 4736)',
    ])
  })

  it.each([
    [{ min: '5.15.0-91' }, []],
    [{ min: '5.15.0-92' }, ['KernelUnwanted']],
    [{ min: '5.15' }, []],
    [{ min: '6' }, ['KernelUnwanted']],
    [{ max: '5.15' }, []],
    [{ max: '5.15.0-90' }, ['KernelUnwanted']],
    [{ max: '5.1' }, ['KernelUnwanted']],
    [{ min: '5.10', max: '6.1' }, []],
    [{ allowed: ['5.15.0-*-generic', '6.1.*'] }, []],
    [{ allowed: ['5.15.0-91'] }, ['KernelUnwanted']],
  ])('with %j says %j of 5.15.0-91-generic', (options, expected) => {
    expect(reasons(judge({}, options))).toEqual(expected)
  })

  it('compares only kernels of one kind', () => {
    expect(judge({ installed: ['6.5.0-14-lowlatency', '0-rescue-4f1c'] })).toEqual([])
    expect(reasons(judge({ installed: ['5.15.0-101-generic'] }))).toEqual(['KernelUpdatePending'])
  })

  it('reports the taints that it is told to', () => {
    expect(reasons(judge({ taints: 4096 }, { expectedTaints: [] }))).toEqual(['KernelTainted'])
    expect(judge({ taints: 128 }, { expectedTaints: ['oops'] })).toEqual([])
    expect(judge({ taints: 2 ** 40 }).map(({ cause }) => cause)).toEqual(['bit-40'])
  })

  it('refuses what is no version, bounds the wrong way round, and taints that there are not', () => {
    for (const wrong of [{ min: 'new' }, { min: '6.1', max: '5.4' }, { expectedTaints: ['Z'] }, { allowed: [''] }]) {
      expect(kernelVersion.options.safeParse(wrong).success).toBe(false)
    }
  })

  it('does not know of updates where /boot is not there or closed, and does not know at all where reading it breaks', async () => {
    const closed = new Error('/boot cannot be read: EACCES', { cause: { code: 'EACCES' } })
    expect(
      await look(
        kernelVersion,
        listing(() => Promise.reject(closed)),
      ),
    ).toEqual([])
    expect(
      await look(
        kernelVersion,
        listing(() => Promise.reject(new NotApplicable('not here'))),
      ),
    ).toEqual([])
    const broken = listing(() => Promise.reject(new Error('/boot cannot be read: EIO')))
    await expect(look(kernelVersion, broken)).rejects.toThrow('EIO')
  })

  it('does not know what to make of files of another form', async () => {
    const host = { ...fixtureHost('kernel-version/ok'), readText: async () => 'Darwin' }
    await expect(look(kernelVersion, host)).rejects.toThrow('holds no version of a kernel')
    await expect(look(kernelVersion, fixtureHost('kernel-version/unreadable'))).rejects.toThrow('tainted holds ""')
  })
})

describe('releases', () => {
  it.each([
    ['6.1.0-9-amd64', '6.1.0-21-amd64', -1],
    ['5.14.0-427.13.1.el9_4.x86_64', '5.14.0-362.8.1.el9_3.x86_64', 1],
    ['6.1', '6.1.0', -1],
    ['6.1.0', '6.1', 1],
    ['6.1.0', '6.1.0', 0],
    ['6.10', '6.9.7', 1],
    ['', '6.1', -1],
  ])('%s against %s: %d', (a, b, expected) => {
    expect(Math.sign(compareReleases(a, b))).toBe(expected)
  })

  it.each([
    ['6.1.0-21-amd64', '-amd#'],
    ['6.1.0-21-cloud-amd64', '-cloud-amd#'],
    ['5.14.0-427.13.1.el9_4.x86_64', '.el#_#.x#_#'],
    ['odd', 'odd'],
  ])('%s is of the kind %s', (release, flavour) => {
    expect(flavourOf(release)).toBe(flavour)
  })

  it.each([
    ['*', 'x', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'ac', false],
    ['ab*b', 'ab', false],
    ['abc', 'abcd', false],
  ])('%s matches %s: %s', (pattern, release, expected) => {
    expect(matchesRelease(pattern, release)).toBe(expected)
  })

  it('names the bits', () => {
    expect(namesOfTaints(0)).toEqual([])
    expect(namesOfTaints(1 + 2 ** 14)).toEqual(['proprietary-module', 'soft-lockup'])
  })
})
