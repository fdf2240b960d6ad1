import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { diskUsage } from '../../detectors/disk-usage.ts'
import type { Plan } from '../../remediators/contract.ts'
import { diskClean } from '../../remediators/disk-clean.ts'
import { makePlan } from '../../remediators/plan.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { FULL, imagesFile, PROGRAMS } from './cases/disk-clean.ts'
import { at, fixture } from './parts.ts'

const signal = new AbortController().signal
const [A, B] = ['a'.repeat(64), 'b'.repeat(64)]
const LOG_OF = (id: string) => `/var/lib/docker/containers/${id}/${id}-json.log`

let scratch: ScratchHost
beforeEach(async () => {
  scratch = await scratchHost(fixture('disk-clean'), PROGRAMS)
})
afterEach(() => scratch.remove())

const located = (path: string) => join(scratch.root, path)
const write = (path: string, text: string) => writeFile(located(path), text)

async function planned(options: unknown = {}, mountPoint = '/', host = scratch.host): Promise<Plan> {
  const finding = { ...FULL, cause: mountPoint }
  const parsed = diskClean.options.parse(options)
  const seen = await diskClean.inspect?.(host, finding, parsed, signal)
  if (seen === undefined) throw new Error('it looks at the host')
  return makePlan(diskClean, finding, diskClean.plan(finding, parsed, seen) ?? [], at(0).wall)
}
const apply = (plan: Plan) => diskClean.apply(plan, scratch.control(diskClean.touches), signal)
const lines = ({ changes }: Plan) => changes.map(({ what, before, after }) => `${what}: ${before} > ${after}`)
const imagesNow = async () =>
  JSON.parse(await readFile(imagesFile(scratch.root), 'utf8')).images.map(({ id }: { id: string }) => id[7])

describe('what may go of a full disk', () => {
  it('is in the plan by what it is and what it frees, and nothing else is', async () => {
    expect(lines(await planned())).toEqual([
      'remove the log /var/log/syslog.2.gz: 12582912 bytes written at 1765272000.0000000000, inode 7 > removed, frees 12.0 MiB',
      'remove the log /var/log/messages.1: 8388608 bytes written at 1766222400.0000000000, inode 7 > removed, frees 8.0 MiB',
      'shrink the journal /var/log/journal: 256 MiB or more beyond 512 MiB > at most 512 MiB of archived files, frees 256 MiB or more',
      `empty the log ${LOG_OF(A)}: 2048 MiB or more > emptied, frees 2048 MiB or more`,
      `remove the image sha256:${'6'.repeat(64)} example.org/x@sha256:${'6'.repeat(63)}0: there, and of no container > removed, frees up to 300.0 MiB`,
      `remove the image sha256:${'1'.repeat(64)} docker.io/library/nginx:1.25: there, and of no container > removed, frees up to 180.0 MiB`,
    ])
  })

  it('goes, and the rest stays', async () => {
    const before = await scratch.snapshot()
    await apply(await planned())
    const after = await scratch.snapshot()
    expect([...before.keys()].filter((path) => !after.has(path)).map((path) => path.split('/').at(-1))).toEqual([
      'system@1.journal',
      'system@2.journal',
      'messages.1',
      'syslog.2.gz',
    ])
    expect(await readFile(located(LOG_OF(A)), 'utf8')).toBe('')
    expect(await readFile(located(LOG_OF(B)), 'utf8')).not.toBe('')
    expect(await imagesNow()).toEqual(['2', '3', '4', '5'])
  })

  it('is nothing of another disk', async () => {
    await expect(planned({}, '/mnt/data')).rejects.toThrow(NotApplicable)
    const plan = await planned()
    const before = await scratch.snapshot()
    await expect(apply({ ...plan, cause: '/mnt/data' })).rejects.toThrow('not on the disk that is full')
    expect(await scratch.snapshot()).toEqual(before)
  })

  it('is not emptied again when it has been since, and has begun to grow', async () => {
    const plan = await planned({ images: false })
    await write(LOG_OF(A), '5000000 0')
    await apply(plan)
    expect(await readFile(located(LOG_OF(A)), 'utf8')).toBe('5000000 0')
  })

  it.each([
    'remove the log /var/log/audit/audit.log.1',
    'remove the log /var/log/syslog',
    'remove the log /etc/passwd.1',
    'remove the log /var/log/../../etc/passwd.gz',
    'remove the log /var/log/journal/0123456789abcdef0123456789abcdef/a.gz',
    'empty the log /var/lib/docker/containers/x/config.json',
    'forget /etc',
  ])('is never what is not on the list: %s', async (what) => {
    const plan = await planned()
    const change = { what, before: '', after: '', undo: '#' }
    const before = await scratch.snapshot()
    await expect(apply({ ...plan, changes: [...plan.changes, change] })).rejects.toThrow(
      /is no rotated log|is no log of a container|nothing that may be removed/,
    )
    expect(await scratch.snapshot()).toEqual(before)
  })
})

describe('images', () => {
  const onlyImages = { journalMiB: 10_000, containerLogMiB: 10_000, rotatedLogDays: 100 }
  const named = async () => (await planned(onlyImages)).changes.map(({ what }) => what.slice(24, 25))

  it('are those that no container, no static pod and no sandbox needs', async () => {
    expect(await named()).toEqual(['6', '1'])
    await write('etc/kubernetes/manifests/web.yaml', 'image: "docker.io/library/nginx:1.25"')
    expect(await named()).toEqual(['6'])
  })

  it.each([
    ['imageGCHighThresholdPercent: 91', undefined],
    ['imageGCHighThresholdPercent: 100', undefined],
    ['staticPodPath: /etc/kubelet.d', 'static pods are in /etc/kubelet.d'],
  ])('stay when the kubelet is told %s', async (config, why) => {
    await write('var/lib/kubelet/config.yaml', `${config}\n`)
    await expect(planned(onlyImages)).rejects.toThrow(why ?? NotApplicable)
  })

  it('stay where crictl does not answer, and the logs go all the same', async () => {
    await write('run/images.json', '{"images": [{"id": "7"}]}')
    await expect(planned(onlyImages)).rejects.toThrow('crictl images did not answer what it should')
    expect((await planned()).changes).toHaveLength(4)
  })

  it('stay without crictl, and when it is not wanted', async () => {
    await expect(planned({ ...onlyImages, images: false })).rejects.toThrow(NotApplicable)
    await rm(located('/usr/bin/crictl'))
    await expect(planned(onlyImages)).rejects.toThrow(NotApplicable)
  })

  it('stay, and everything else with them, when one has come to be used since', async () => {
    const plan = await planned()
    const known = JSON.parse(await readFile(imagesFile(scratch.root), 'utf8'))
    const imageRef = `sha256:${'1'.repeat(64)}`
    await write('run/images.json', JSON.stringify({ ...known, containers: [{ imageRef, image: { image: imageRef } }] }))
    await expect(apply(plan)).rejects.toThrow('is in use by now')
    await access(located('/var/log/syslog.2.gz'))
  })
})

it('is refused for what is no mount point, and without a find that says where files are', async () => {
  await expect(planned({}, '-delete')).rejects.toThrow('is no such folder')
  await expect(planned({}, '')).rejects.toThrow('is no such folder')
  await scratch.remove()
  scratch = await scratchHost(fixture('disk-clean'))
  await expect(planned()).rejects.toThrow('without /usr/bin/find')
})

it('handles reasons that disk-usage gives', () => {
  expect(Object.keys(diskUsage.reasons)).toEqual(expect.arrayContaining([...diskClean.handles]))
})

it.each([{ rotatedLogDays: 0 }, { containerLogMiB: 1 }, { journalMiB: 0 }, { images: 'all' }])(
  'refuses the option %j',
  (options) => expect(diskClean.options.safeParse(options).success).toBe(false),
)
