/** A host whose files are a folder of fixtures, and whose filesystems and peers are given. */
import { fileURLToPath } from 'node:url'
import {
  type Detector,
  type FilesystemUse,
  type Host,
  type Judgement,
  NotApplicable,
  type PeerOffset,
} from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host.ts'

export interface FixtureParts {
  /** By mount point; any other path is not mounted here. */
  readonly filesystems?: Readonly<Record<string, FilesystemUse>>
  readonly peers?: readonly PeerOffset[]
}

export function fixtureRoot(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}/`, import.meta.url))
}

export function fixtureHost(name: string, { filesystems = {}, peers = [] }: FixtureParts = {}): Host {
  return {
    ...createHost({ node: 'node-7', root: fixtureRoot(name), peerOffsets: () => peers }),
    filesystem: async (path) => {
      const use = filesystems[path]
      if (use === undefined) throw new NotApplicable(`${path} is not mounted`)
      return use
    },
  }
}

/** Samples and judges once, with options as they would stand in settings. */
export async function look<O, S, R extends string>(
  detector: Detector<O, S, R>,
  host: Host,
  options: unknown = {},
): Promise<readonly Judgement<R>[]> {
  const parsed = detector.options.parse(options)
  return detector.judge(await detector.sample(host, parsed, new AbortController().signal), parsed, [])
}

/** 100 GiB that can be used and a million inodes, with these shares of them in use. */
export function filesystem(usedPercent: number, inodesUsedPercent = 10): FilesystemUse {
  const usable = 100 * 1024 ** 3
  const bytesUsed = (usable * usedPercent) / 100
  const inodes = 1_000_000
  return {
    // Five more percent are reserved for root, as mkfs.ext4 does.
    bytes: usable * 1.05,
    bytesUsed,
    bytesAvailable: usable - bytesUsed,
    inodes,
    inodesFree: inodes - (inodes * inodesUsedPercent) / 100,
  }
}

export const summaries = (judgements: readonly Judgement[]) => judgements.map(({ summary }) => summary)
export const reasons = (judgements: readonly Judgement[]) => judgements.map(({ reason }) => reason)
