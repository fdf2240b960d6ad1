/** What `sysctl` does about tables that run full, whose values it leaves to others, and what it keeps over a boot. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { Change } from '../../remediators/contract.ts'
import { ceilingOf, growth, TABLES } from '../../remediators/kernel/tables.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { differs, finding, fixture } from './parts.ts'

const signal = new AbortController().signal
const MAX = 'proc/sys/net/netfilter/nf_conntrack_max'
const BOOT_FILE = '/etc/sysctl.d/90-starling.conf'

const conntrackAt = (limit: number) =>
  finding('conntrack', 'ConntrackAlmostFull', '', [
    { name: 'nf_conntrack_count', value: limit, limit, unit: 'entries' },
  ])
const FULL = conntrackAt(262_144)
const pids = (limit: number, cause = '') =>
  finding('pid-max', 'PidsExhausted', cause, [{ name: 'processes and threads', value: limit, limit, unit: '' }])
const files = (limit: number, cause = '') =>
  finding('file-handles', 'FilesLow', cause, [{ name: 'open files', value: limit, limit, unit: 'files' }])
const inotify = (kind: 'instances' | 'watches', limit: number) =>
  finding('inotify-exhausted', 'InotifyFilling', `uid 0 ${kind}`, [
    { name: `max_user_${kind}`, value: limit, limit, unit: kind },
  ])

let scratch: ScratchHost | undefined
afterEach(async () => {
  await scratch?.remove()
  scratch = undefined
})

/** What it plans on the recorded host with these files in place of its own. */
async function planned(fault: Finding, options: unknown = {}, changed: Readonly<Record<string, string>> = {}) {
  await scratch?.remove()
  scratch = await scratchHost(fixture('sysctl'))
  for (const [path, text] of Object.entries(changed)) {
    await mkdir(dirname(join(scratch.root, path)), { recursive: true })
    await writeFile(join(scratch.root, path), text)
  }
  const parsed = sysctl.options.parse(options)
  return sysctl.plan(fault, parsed, await sysctl.inspect?.(scratch.host, fault, parsed, signal))
}
const short = (changes: readonly Change[] | null) => changes?.map(({ what, before, after }) => [what, before, after])

describe('a table that runs full', () => {
  it('of connections is made twice as large, its buckets first', async () => {
    expect(await planned(FULL)).toEqual([
      {
        what: 'net.netfilter.nf_conntrack_buckets',
        before: '65536',
        after: '131072',
        undo: 'sysctl -w net.netfilter.nf_conntrack_buckets=65536',
      },
      {
        what: 'net.netfilter.nf_conntrack_max',
        before: '262144',
        after: '524288',
        undo: 'sysctl -w net.netfilter.nf_conntrack_max=262144',
      },
    ])
  })

  it.each([
    [pids(32_768), 'kernel.pid_max', '32768', '65536'],
    [files(200_000), 'fs.file-max', '200000', '400000'],
    [inotify('instances', 128), 'fs.inotify.max_user_instances', '128', '256'],
    [inotify('watches', 65_536), 'fs.inotify.max_user_watches', '65536', '131072'],
  ])('is the one that the finding is about (%#)', async (fault, ...change) => {
    expect(short(await planned(fault))).toEqual([change])
  })

  it('is told by what its detector reports', () => {
    const detectors = new Map(builtinDetectors.map((detector) => [detector.name, Object.keys(detector.reasons)]))
    const known = [...detectors.values()].flat()
    for (const { reasons } of TABLES) for (const reason of reasons) expect(known).toContain(reason)
  })

  it.each([
    ['a cgroup', pids(32_768, 'kubepods.slice')],
    ['a process', files(1_024, 'containerd')],
  ])('is none of the kernel when it is of %s', async (_, fault) => {
    expect(await planned(fault)).toBeNull()
  })

  it('is left alone when another limit is the one that is reached, or it was changed since', async () => {
    await expect(planned(pids(15_000))).rejects.toThrow(
      'kernel.pid_max is 32768, and the limit that is reached is 15000',
    )
    await expect(planned(FULL, {}, { [MAX]: '524288\n' })).rejects.toThrow('nf_conntrack_max is 524288')
  })

  it('takes no more than its share of memory, what is set, and what the kernel takes', async () => {
    // 8146836 kB x 0.1 / 456 B
    expect(short(await planned(conntrackAt(1_500_000), {}, { [MAX]: '1500000\n' }))?.[1]?.[2]).toBe('1829464')
    expect(short(await planned(FULL, { ceilings: { conntrack: 300_000 } }))?.[1]).toEqual([
      'net.netfilter.nf_conntrack_max',
      '262144',
      '300000',
    ])
    expect(short(await planned(pids(4_000_000), {}, { 'proc/sys/kernel/pid_max': '4000000\n' }))).toEqual([
      ['kernel.pid_max', '4000000', '4194304'],
    ])
  })

  it('is never made smaller, nor touched when it is not to grow', async () => {
    expect(await planned(FULL, { ceilings: { conntrack: 1_000 } })).toBeNull()
    expect(await planned(FULL, { memoryRatio: 0.001 })).toBeNull()
    expect(await planned(FULL, { grow: ['pids'] })).toBeNull()
    expect(await planned(pids(4_194_304), {}, { 'proc/sys/kernel/pid_max': '4194304\n' })).toBeNull()
  })

  it('grows, at most twofold and within its bounds, whatever its size', () => {
    const figure = fc.integer({ min: 0, max: 2 ** 40 })
    fc.assert(
      fc.property(fc.constantFrom(...TABLES), figure, figure, figure, figure, (table, size, buckets, memory, set) => {
        const seen = { values: { [table.key]: size, [table.buckets ?? '']: buckets }, memoryBytes: memory }
        const ceiling = ceilingOf(table, seen, 0.1, set)
        expect(ceiling).toBeLessThanOrEqual(Math.min(table.most, set))
        for (const { what, before, after } of growth(table, seen, ceiling)) {
          expect(Number(after)).toBeGreaterThan(Number(before))
          if (what !== table.key) continue
          expect(Number(after)).toBeLessThanOrEqual(Math.min(ceiling, 2 * size))
          expect(Number(after) * table.bytesPerEntry).toBeLessThanOrEqual(memory * 0.1)
        }
      }),
    )
  })

  it.each([
    { memoryRatio: 0.3 },
    { memoryRatio: 0 },
    { ceilings: { conntrack: 0 } },
    { ceilings: { sockets: 1 } },
    { grow: ['sockets'] },
  ])('has bounds of its own: %j', (options) => {
    expect(sysctl.options.safeParse(options).success).toBe(false)
  })
})

describe('a value that belongs to somebody else', () => {
  const withProgram = (...words: readonly string[]) => ({
    'proc/900/cmdline': words.map((word) => `${word}\0`).join(''),
  })

  it.each([
    [['/usr/local/bin/kube-proxy', '--config=/var/lib/kube-proxy/config.conf']],
    [['kube-proxy', '--conntrack-max-per-core', '32768']],
    [['/usr/local/bin/k3s server']],
  ])('is left to kube-proxy where one runs: %j', async (words) => {
    const refused = 'belongs to kube-proxy: change conntrack.maxPerCore and conntrack.min'
    await expect(planned(FULL, {}, withProgram(...words))).rejects.toThrow(refused)
    expect(await planned(FULL, { allowOwned: true }, withProgram(...words))).toHaveLength(2)
    expect(await planned(pids(32_768), {}, withProgram(...words))).toHaveLength(1)
  })

  it.each([
    [['kube-proxy', '--conntrack-max-per-core=0']],
    [['/usr/local/bin/k3s', 'agent', '--disable-kube-proxy']],
    [['/usr/bin/kube-proxy-exporter']],
  ])('is not when what runs leaves it alone: %j', async (words) => {
    expect(await planned(FULL, {}, withProgram(...words))).toHaveLength(2)
  })

  it('cannot be known where the processes of others are hidden', async () => {
    await scratch?.remove()
    scratch = await scratchHost(fixture('sysctl'))
    const host = { ...scratch.host, processes: () => Promise.reject(new Error('/proc does not show the processes')) }
    await expect(sysctl.inspect?.(host, FULL, sysctl.options.parse({}), signal)).rejects.toThrow('does not show')
  })

  it('is left to the kubelet, and its setting named', async () => {
    const refused = 'vm.panic_on_oom belongs to the kubelet: change --protect-kernel-defaults there, or set allowOwned'
    await expect(planned(differs('vm.panic_on_oom', '1', '0'))).rejects.toThrow(refused)
    expect(await planned(differs('vm.panic_on_oom', '1', '0'), { allowOwned: true })).toHaveLength(1)
  })

  it('is an error of the settings that name it', () => {
    const { error } = sysctl.options.safeParse({ allow: ['vm.swappiness', 'kernel.panic'] })
    expect(error?.issues[0]?.message).toContain('the kubelet sets itself (--protect-kernel-defaults)')
    expect(sysctl.options.safeParse({ allow: ['kernel.panic'], allowOwned: true }).success).toBe(true)
  })

  it.each(['kernel.core_pattern', 'kernel.modprobe', 'fs.binfmt_misc.register'])(
    'is no way to run a program as root: %s',
    async (key) => {
      expect(sysctl.options.safeParse({ allow: [key] }).success).toBe(false)
      expect(await planned(differs(key, 'core', '|/x'), { allow: ['kernel.*', 'fs.*'] })).toBeNull()
    },
  )
})

describe('what is kept over a boot', () => {
  const SWAPPINESS = differs('vm.swappiness', '60', '10')
  const kept = (text?: string) =>
    planned(SWAPPINESS, { persist: true }, text === undefined ? {} : { [BOOT_FILE.slice(1)]: text })

  it('is a second line of the plan, with its own way back', async () => {
    expect((await kept())?.[1]).toEqual({
      what: BOOT_FILE,
      before: '(no such file)',
      after: '# Written by Starling: kernel parameters that it set and that are to stay set.\nvm.swappiness = 10\n',
      undo: `rm ${BOOT_FILE}`,
    })
    expect(await planned(SWAPPINESS)).toHaveLength(1)
    expect(short(await planned(FULL, { persist: true }))?.map(([what]) => what)).toEqual([
      'net.netfilter.nf_conntrack_buckets',
      'net.netfilter.nf_conntrack_max',
      BOOT_FILE,
    ])
  })

  it('is merged with what the file says already', async () => {
    const change = (await kept('# ours\nvm.dirty_ratio = 15\n-vm/swappiness=30\n'))?.[1]
    expect(change?.after).toBe('# ours\nvm.dirty_ratio = 15\nvm.swappiness = 10\n')
    expect(change?.undo).toBe(`printf %s '# ours\nvm.dirty_ratio = 15\n-vm/swappiness=30\n' > ${BOOT_FILE}`)
  })

  it('is not written where another file would have the last word, or when it does not fit in a plan', async () => {
    const over = { 'etc/sysctl.d/99-site.conf': '# site\nvm/swappiness = 60\n' }
    await expect(planned(SWAPPINESS, { persist: true }, over)).rejects.toThrow(
      'vm.swappiness is set in /etc/sysctl.d/99-site.conf, which is read last: change it there',
    )
    const before = {
      'etc/sysctl.d/10-site.conf': 'vm.swappiness = 60\n',
      'etc/sysctl.d/99-x.bak': 'vm.swappiness = 1\n',
    }
    expect(await planned(SWAPPINESS, { persist: true }, before)).toHaveLength(2)
    await expect(kept(`# ${'x'.repeat(990)}\n`)).rejects.toThrow('too long for a plan')
  })
})
