import { describe, expect, it } from 'vitest'
import { UsageError } from '../../common/errors.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { readRemediatorSettings } from '../../remediators/settings.ts'
import { remediator } from './policy/parts.ts'

const oneWay = remediator('one-way', [], { reversible: false })
const read = (settings: unknown, own = [oneWay]) => readRemediatorSettings([...builtinRemediators, ...own], settings)

describe('settings of remediators', () => {
  it('do nothing unless told otherwise', () => {
    expect([...read({}).values()].map(({ mode }) => mode)).toEqual([
      'observe',
      ...builtinRemediators.map(() => 'observe'),
    ])
  })

  it('set mode and options', () => {
    expect(read({ sysctl: { mode: 'approve', options: { allowOwned: true } } }).get('sysctl')).toMatchObject({
      mode: 'approve',
      options: { allowOwned: true, allow: expect.arrayContaining(['vm.*']) },
    })
  })

  it('may be automatic where what is done can be undone', () => {
    expect(read({ sysctl: { mode: 'auto' } }).get('sysctl')?.mode).toBe('auto')
  })

  it('may be automatic where nobody wants back what is lost', () => {
    const old = { ...oneWay, loses: 'old logs' }
    expect(read({ 'one-way': { mode: 'auto' } }, [old]).get('one-way')?.mode).toBe('auto')
  })

  it.each([
    [{ sysctls: {} }, 'remediators: unknown key "sysctls"', 'did you mean "sysctl"?'],
    [{ sysctl: { node: 'approve' } }, 'remediators.sysctl: unknown key "node"', 'did you mean "mode"?'],
    [
      { sysctl: { mode: 'always' } },
      'remediators.sysctl.mode: must be one of observe, suggest, approve, auto',
      undefined,
    ],
    [{ sysctl: { options: { alow: [] } } }, 'remediators.sysctl.options: unknown key "alow"', 'did you mean "allow"?'],
    [{ sysctl: { options: { allow: ['*'] } } }, /^remediators\.sysctl\.options\.allow\.0: must be a kernel/, undefined],
    [
      { 'one-way': { mode: 'auto' } },
      'remediators.one-way.mode: auto is not for one-way: what it does cannot be undone',
      'write mode: approve',
    ],
    ['approve', 'remediators must map names of remediators to their settings', undefined],
  ])('refuse %j, naming the place', (settings, message, remedy) => {
    let thrown: unknown
    try {
      read(settings)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(UsageError)
    expect((thrown as UsageError).message).toMatch(message)
    expect((thrown as UsageError).remedy).toBe(remedy)
  })
})
