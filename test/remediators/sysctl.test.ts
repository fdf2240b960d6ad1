import { describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { kernelParams } from '../../detectors/kernel-params.ts'
import { type Change, StalePlan } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { at, differs, memoryControl } from './parts.ts'

const SWAPPINESS = '/proc/sys/vm/swappiness'
const RMEM = '/proc/sys/net/ipv4/tcp_rmem'
const signal = new AbortController().signal

const planned = (finding: Finding, options: unknown = {}) =>
  sysctl.plan(finding, sysctl.options.parse(options), undefined)
const planOf = (...findings: Finding[]) =>
  makePlan(
    sysctl,
    findings[0] ?? differs(),
    findings.flatMap((finding) => planned(finding) ?? []),
    at(0).wall,
  )

describe('the plan of sysctl', () => {
  it('says what changes, from what, to what, and how to undo it', () => {
    expect(planned(differs('vm.swappiness', '60', '10'))).toEqual([
      { what: 'vm.swappiness', before: '60', after: '10', undo: 'sysctl -w vm.swappiness=60' },
    ])
  })

  it('quotes a value of several fields in the undo command', () => {
    expect(planned(differs('net.ipv4.tcp_rmem', '4096\t87380\t6291456', '4096 131072 6291456'))).toEqual([
      {
        what: 'net.ipv4.tcp_rmem',
        before: '4096 87380 6291456',
        after: '4096 131072 6291456',
        undo: "sysctl -w net.ipv4.tcp_rmem='4096 87380 6291456'",
      },
    ])
    expect(planned(differs('vm.x', "a'; reboot", '1'))?.[0]?.undo).toBe(`sysctl -w vm.x='a'\\''; reboot'`)
  })

  it('is made of what the kernel-params detector reports, and not of what only differs from others', () => {
    const options = kernelParams.options.parse({ wanted: { 'vm.swappiness': { max: 30 } } })
    const [judgement] = kernelParams.judge([{ key: 'vm.swappiness', value: '60' }], options, [])
    const finding = differs('vm.swappiness', '', '', { evidence: judgement?.evidence ?? [] })
    expect(planned(finding)?.[0]).toMatchObject({ before: '60', after: '30' })
    expect(sysctl.handles).toContain('KernelParamDiffers')
    expect(sysctl.handles).not.toContain('KernelParamUnusual')
    expect(Object.keys(kernelParams.reasons)).toContain('KernelParamDiffers')
  })

  it.each(['vm.overcommit_memory', 'vm.panic_on_oom'])('leaves %s to the kubelet, unless told otherwise', (key) => {
    expect(planned(differs(key, '0', '1'))).toBeNull()
    expect(planned(differs(key, '0', '1'), { allowOwned: true })).toHaveLength(1)
  })

  it.each(['kernel.panic', 'kernel.keys.root_maxkeys'])('needs %s to be allowed as well as owned', (key) => {
    expect(planned(differs(key, '0', '1'), { allowOwned: true })).toBeNull()
    expect(planned(differs(key, '0', '1'), { allow: ['kernel.*'] })).toBeNull()
    expect(planned(differs(key, '0', '1'), { allow: ['kernel.*'], allowOwned: true })).toHaveLength(1)
  })

  it.each(['kernel.sysrq', 'fs.file-max', 'vm', 'vmx.y', 'kernel.pid_maxx', 'vm.//.x'])('does not touch %s', (key) => {
    expect(planned(differs(key, '0', '1'))).toBeNull()
  })

  it('has nothing to do when evidence names no other value', () => {
    expect(planned(differs('vm.swappiness', '10', '10'))).toBeNull()
    expect(planned(differs('vm.swappiness', '10', ''))).toBeNull()
    expect(planned(differs('vm.swappiness', '10', '1', { evidence: [] }))).toBeNull()
  })

  it('refuses a pattern that could allow everything', () => {
    for (const pattern of ['*', '.*', '', 'vm*', 'vm.*.x']) {
      expect(sysctl.options.safeParse({ allow: [pattern] }).success).toBe(false)
    }
  })
})

describe('applying sysctl', () => {
  it('writes the value once, and nothing when it is there already', async () => {
    const { control, writes, files } = memoryControl({ [SWAPPINESS]: '60\n' })
    const plan = planOf(differs())
    await sysctl.apply(plan, control, signal)
    await sysctl.apply(plan, control, signal)
    expect(writes).toEqual([`${SWAPPINESS}=10`])
    expect(files[SWAPPINESS]).toBe('10\n')
  })

  it('compares fields whatever separates them', async () => {
    const { control, writes } = memoryControl({ [RMEM]: '4096\t131072\t6291456\n' })
    await sysctl.apply(
      planOf(differs('net.ipv4.tcp_rmem', '4096 87380 6291456', '4096 131072 6291456')),
      control,
      signal,
    )
    expect(writes).toEqual([])
  })

  it('changes nothing at all when one value is neither before nor after', async () => {
    const { control, writes } = memoryControl({ [SWAPPINESS]: '60\n', '/proc/sys/vm/dirty_ratio': '33\n' })
    const plan = planOf(differs(), differs('vm.dirty_ratio', '20', '15'))
    expect(plan.changes).toHaveLength(2)
    await expect(sysctl.apply(plan, control, signal)).rejects.toThrow(StalePlan)
    await expect(sysctl.apply(plan, control, signal)).rejects.toThrow(
      'vm.dirty_ratio is 33, and the plan was made for 20',
    )
    expect(writes).toEqual([])
  })

  it('fails when the kernel makes another value of it', async () => {
    const { control } = memoryControl({ [SWAPPINESS]: '60\n' }, () => '11\n')
    await expect(sysctl.apply(planOf(differs()), control, signal)).rejects.toThrow(
      'set to 10, and the kernel made it 11',
    )
  })

  it('does not begin once it has been told to stop', async () => {
    const { control, writes } = memoryControl({ [SWAPPINESS]: '60\n' })
    await expect(sysctl.apply(planOf(differs()), control, AbortSignal.abort(new Error('stopped')))).rejects.toThrow(
      'stopped',
    )
    expect(writes).toEqual([])
  })
})

describe('reverting sysctl', () => {
  it('puts every value back, in the opposite order, whatever it is now', async () => {
    const { control, writes } = memoryControl({ [SWAPPINESS]: '11\n', '/proc/sys/vm/dirty_ratio': '15\n' })
    await sysctl.revert(planOf(differs(), differs('vm.dirty_ratio', '20', '15')), control, signal)
    expect(writes).toEqual(['/proc/sys/vm/dirty_ratio=20', `${SWAPPINESS}=60`])
  })

  it('writes nothing when nothing was changed', async () => {
    const { control, writes } = memoryControl({ [SWAPPINESS]: '60\n' })
    await sysctl.revert(planOf(differs()), control, signal)
    expect(writes).toEqual([])
  })

  it('fails when a value cannot be put back', async () => {
    const { control } = memoryControl({ [SWAPPINESS]: '10\n' }, () => '10\n')
    await expect(sysctl.revert(planOf(differs()), control, signal)).rejects.toThrow(
      'set to 60, and the kernel made it 10',
    )
    await expect(sysctl.revert(planOf(differs()), memoryControl({}).control, signal)).rejects.toThrow('ENOENT')
  })

  it('gives back what apply took, also half way', async () => {
    const changes: readonly Change[] = planOf(differs(), differs('vm.dirty_ratio', '20', '15')).changes
    expect(changes).toHaveLength(2)
    const { control, files } = memoryControl({ [SWAPPINESS]: '60\n', '/proc/sys/vm/dirty_ratio': '20\n' })
    const before = { ...files }
    let writes = 0
    const failing = {
      ...control,
      writeText: async (path: string, text: string) => {
        if (++writes === 2) throw new Error('EIO')
        await control.writeText(path, text)
      },
    }
    const plan = planOf(differs(), differs('vm.dirty_ratio', '20', '15'))
    await expect(sysctl.apply(plan, failing, signal)).rejects.toThrow('EIO')
    expect(files).not.toEqual(before)
    await sysctl.revert(plan, control, signal)
    expect(files).toEqual(before)
  })
})
