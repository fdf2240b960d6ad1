/** A real disk that is full of what nobody misses, and a file that somebody would: only what is on the list goes. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

const onlyThat = { include: ['/var/log'] }
/** A folder of journals has the id of a machine as its name, an archived journal that of a sequence and two numbers. */
const JOURNALS = `/var/log/journal/${'0123456789abcdef'.repeat(2)}`
const archived = (index: number) =>
  `${JOURNALS}/system@${'ab'.repeat(16)}-${'0'.repeat(15)}${index}-${'0'.repeat(15)}${index}.journal`

describeReal('a full disk of its own', needsLinux() ?? needsRoot(), () => {
  let inside: Inside
  const make = (path: string, mib: number) =>
    inside.run('dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${mib}`, 'status=none')
  /** Of zeros journalctl would think that nothing was ever written to it. */
  const makeJournal = (path: string, mib: number) =>
    inside.run('sh', '-c', `head -c ${mib}M /dev/zero | tr '\\0' x > ${path}`)
  beforeEach(async () => {
    inside = await startInside(OWN_MOUNTS)
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=80m', 'images', '/mnt')
    await inside.run('truncate', '-s', '64M', '/mnt/image')
    await inside.run('mkfs.ext4', '-q', '/mnt/image')
    await inside.run('mount', '-o', 'loop', '/mnt/image', '/var/log')
    await inside.run('mkdir', '-p', JOURNALS)
  })
  afterEach(() => inside.end())

  it('is cleaned of rotated logs and journals, and is full no longer', async () => {
    for (const index of [1, 2, 3]) await makeJournal(archived(index), 8)
    await makeJournal(`${JOURNALS}/system.journal`, 2)
    await make('/var/log/syslog.1', 9)
    await make('/var/log/syslog.2.gz', 3)
    await make('/var/log/fresh.1', 2)
    await inside.run('touch', '-d', '20 days ago', '/var/log/syslog.1', '/var/log/syslog.2.gz')
    await inside.run('sh', '-c', 'dd if=/dev/zero of=/var/log/data bs=1M status=none 2> /dev/null; true')
    expect(found(await inside.look('disk-usage', onlyThat))).toEqual([
      'DiskSpaceLow /var/log',
      'DiskAlmostFull /var/log',
    ])
    const plan = await inside.plan('disk-clean', 'disk-usage', { journalMiB: 16 })
    expect(plan.changes.map(({ what, after }) => `${what}: ${after}`)).toEqual([
      'remove the log /var/log/syslog.1: removed, frees 9.0 MiB',
      'remove the log /var/log/syslog.2.gz: removed, frees 3.0 MiB',
      'shrink the journal /var/log/journal: at most 16 MiB of archived files, frees 8 MiB or more',
    ])
    // One that was written to since is another than the one that was decided on.
    await inside.run('sh', '-c', 'echo 1 >> /var/log/syslog.1')
    await expect(inside.apply(plan)).rejects.toThrow('and the plan was made for')
    expect(await inside.run('ls', '/var/log')).toContain('syslog.2.gz')
    await inside.run('truncate', '-s', '9M', '/var/log/syslog.1')
    await inside.run('touch', '-d', '20 days ago', '/var/log/syslog.1')

    const again = await inside.plan('disk-clean', 'disk-usage', { journalMiB: 16 })
    await inside.apply(again)
    await inside.apply(again)
    expect(found(await inside.look('disk-usage', onlyThat))).toEqual([])
    expect((await inside.run('ls', '/var/log')).split('\n')).toEqual(['data', 'fresh.1', 'journal', 'lost+found', ''])
    const journals = await inside.run('ls', JOURNALS)
    expect(journals).toContain('system.journal')
    expect(journals).not.toContain(archived(1).split('/').at(-1))
    expect(journals).toContain(archived(3).split('/').at(-1))
  })
})
