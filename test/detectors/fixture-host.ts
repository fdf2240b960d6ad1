/** The recorded hosts in fixtures/, and what tests ask of them. */
import { fileURLToPath } from 'node:url'
import type { Detector, FilesystemUse, Host, Judgement } from '../../detectors/contract.ts'
import { type HostRecord, fixtureHost as recordedHost } from '../../detectors/testing/fixture-host.ts'

/** Each detector has a folder, and in it these; `before`, the look before `bad`, only where a difference is judged. */
export type Fixture = 'ok' | 'bad' | 'before' | 'not-applicable' | 'unreadable'

export function fixtureRoot(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}/`, import.meta.url))
}

/** `name` as in `conntrack/ok`; `empty` has nothing. `changed` stands in place of what its host.json says. */
export function fixtureHost(name: string, changed: HostRecord = {}): Host {
  return recordedHost(fixtureRoot(name), changed)
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
