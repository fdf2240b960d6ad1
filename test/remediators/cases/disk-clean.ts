import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import type { StandIn } from '../../../remediators/testing/scratch-host.ts'
import { finding, fixture } from '../parts.ts'

const host = fixture('disk-clean')

export const FULL = finding('disk-usage', 'DiskAlmostFull', '/', [
  { name: 'bytes used', value: 90, limit: 100, unit: 'bytes' },
])

const MOUNTED: Readonly<Record<string, string>> = { '/': '2049', '/var/log/audit': '2065', '/mnt/data': '2065' }

function deviceOf(path: string): string {
  const points = Object.keys(MOUNTED).filter((point) => point === '/' || `${path}/`.startsWith(`${point}/`))
  return MOUNTED[points.toSorted((a, b) => b.length - a.length)[0] ?? '/'] ?? ''
}

async function filesIn(root: string, place: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, place), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`)
}

/** In each file stands how many bytes it is to have, and for how many days nobody wrote to it. */
const find: StandIn = async (args, root) => {
  const places = args.slice(
    0,
    args.findIndex((word) => word.startsWith('-')),
  )
  const limit = (name: string) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : 0)
  if (args.at(-1) === '%D') return { stdout: deviceOf(places[0] ?? '') }
  const isOne = args.includes('-maxdepth')
  const paths = isOne ? places : (await Promise.all(places.map((place) => filesIn(root, place)))).flat()
  const lines = paths.map(async (path) => {
    const text = await readFile(join(root, path), 'utf8').catch(() => undefined)
    if (text === undefined) return ''
    const [bytes = 0, days = 0] = text.trim().split(' ').map(Number)
    const isFit = isOne || (bytes / 512 > limit('-size') && days >= limit('-mtime'))
    const figures = `${deviceOf(path)} 7 ${bytes / 512} ${bytes} ${1_767_000_000 - days * 86_400}.0000000000`
    return isFit ? `${figures} ${path}\0` : ''
  })
  return { stdout: (await Promise.all(lines)).join('') }
}

const journalctl: StandIn = async (_, root) => {
  for (const path of await filesIn(root, '/var/log/journal')) if (path.includes('@')) await rm(join(root, path))
  return {}
}

export const imagesFile = (root: string) => join(root, 'run/images.json')

const crictl: StandIn = async ([verb, id = ''], root) => {
  const { images, containers } = JSON.parse(await readFile(imagesFile(root), 'utf8'))
  if (verb === 'images') return { stdout: JSON.stringify({ images }) }
  if (verb === 'ps') return { stdout: JSON.stringify({ containers }) }
  if (verb === 'imagefsinfo') {
    return {
      stdout: JSON.stringify({ status: { imageFilesystems: [{ fsId: { mountpoint: '/var/lib/containerd' } }] } }),
    }
  }
  const left = images.filter((image: { readonly id: string }) => image.id !== id)
  await writeFile(imagesFile(root), JSON.stringify({ images: left, containers }))
  return {}
}

export const PROGRAMS = { '/usr/bin/find': find, '/usr/bin/journalctl': journalctl, '/usr/bin/crictl': crictl }

const write =
  (path: string, text: string): Case['disturb'] =>
  ({ root }) =>
    writeFile(join(root, path), text)

export const diskCleanCases: readonly Case[] = [
  {
    name: 'a disk with all that may go',
    host,
    finding: FULL,
    programs: PROGRAMS,
    disturb: write('var/log/messages.1', '9437184 9'),
  },
  {
    name: 'rotated logs alone',
    host,
    finding: FULL,
    options: { images: false, journalMiB: 10_000, containerLogMiB: 10_000 },
    programs: PROGRAMS,
    disturb: write('var/log/syslog.2.gz', '12582912 0'),
  },
]
