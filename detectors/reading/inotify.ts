/**
 * Who uses inotify, by user. The kernel keeps count and shows it nowhere, so all open files of all processes have to be
 * gone through. That is spread over as many looks as it takes; what is found is what the last whole round found, or this
 * one if it has found more already.
 */
import { type Host, NotApplicable } from '../contract.ts'
import { failureCode } from './failure.ts'
import { processIds } from './processes.ts'

export interface InotifyUse {
  /** By whom it is counted: the effective user of the process, as the host knows it. */
  readonly uid: number
  readonly instances: number
  /** At least so many: an instance with a list of watches over 8 MiB, some 72,000, is left out. */
  readonly watches: number
  /** The process with the most instances. */
  readonly most: { readonly id: string; readonly name: string; readonly instances: number }
}

interface Process {
  readonly id: string
  readonly uid: number
  readonly name: string
  /** Its open files that are still to be looked at. */
  readonly files: string[]
  instances: number
  watches: number
}

interface Round {
  /** Processes that are still to be looked at. */
  readonly waiting: string[]
  /** The one that is being looked at. */
  current: Process | undefined
  readonly uses: Map<number, InotifyUse>
  filesSeen: number
  /** Why one of them may not be seen, the first. */
  unseen: Error | undefined
}

interface Rounds {
  now: Round
  last: ReadonlyMap<number, InotifyUse>
}

const rounds = new WeakMap<Host, Rounds>()

/**
 * Goes on where it left off, for at most `linksMax` open files. Passes over processes that may not be seen, as one that a
 * security module protects; throws an Error when there is no other.
 */
export async function scanInotify(host: Host, linksMax: number, signal: AbortSignal): Promise<readonly InotifyUse[]> {
  const state = rounds.get(host) ?? { now: await newRound(host), last: new Map() }
  rounds.set(host, state)
  let links = linksMax
  while (links > 0) {
    signal.throwIfAborted()
    const { current, waiting } = state.now
    if (current === undefined) {
      const id = waiting.pop()
      if (id === undefined) break
      state.now.current = await seen(state.now, openProcess(host, id))
      // To list those of a process costs about as much as to look at one.
      links--
    } else if (current.files.length === 0) {
      state.now.uses.set(current.uid, withProcess(state.now.uses.get(current.uid), current))
      state.now.current = undefined
    } else {
      if ((await seen(state.now, lookAtFile(host, current))) === true) state.now.filesSeen++
      links--
    }
  }
  const uses = merged(state.last, state.now.uses)
  if (state.now.current === undefined && state.now.waiting.length === 0) {
    rounds.set(host, { now: await newRound(host), last: state.now.uses })
    if (state.now.unseen !== undefined && state.now.filesSeen === 0) throw state.now.unseen
  }
  return uses
}

async function seen<T>(round: Round, looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking
  } catch (error) {
    if (failureCode(error) !== 'EACCES') throw error
    round.unseen ??= error as Error
    return undefined
  }
}

async function newRound(host: Host): Promise<Round> {
  return {
    waiting: [...(await processIds(host))],
    current: undefined,
    uses: new Map(),
    filesSeen: 0,
    unseen: undefined,
  }
}

/** Undefined when it has ended. */
async function openProcess(host: Host, id: string): Promise<Process | undefined> {
  const status = await unlessGone(host.readText(`/proc/${id}/status`))
  if (status === undefined) return undefined
  const uid = /^Uid:\s+\d+\s+(\d+)\s/m.exec(status)?.[1]
  if (uid === undefined) throw new Error(`/proc/${id}/status does not say whose process it is`)
  const name = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? ''
  const files = await unlessGone(host.list(`/proc/${id}/fd`))
  return {
    id,
    uid: Number(uid),
    name,
    files: [...(files ?? [])].filter((file) => /^\d+$/.test(file)),
    instances: 0,
    watches: 0,
  }
}

/** True when it could be seen; it may have been closed. */
async function lookAtFile(host: Host, holder: Process): Promise<true> {
  const file = holder.files.pop()
  const target = await unlessGone(host.readLink(`/proc/${holder.id}/fd/${file}`))
  if (target !== 'anon_inode:inotify') return true
  holder.instances++
  // One that cannot be read is too long, or was closed.
  const info = await host.readText(`/proc/${holder.id}/fdinfo/${file}`).catch(() => '')
  holder.watches += info.match(/^inotify wd:/gm)?.length ?? 0
  return true
}

/** Undefined for a process that has ended, or a file that was closed, while it was looked at. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof NotApplicable || failureCode(error) === 'ESRCH') return undefined
    throw error
  }
}

function withProcess(use: InotifyUse | undefined, holder: Process): InotifyUse {
  const { id, uid, name, instances, watches } = holder
  const most = use !== undefined && use.most.instances >= instances ? use.most : { id, name, instances }
  return { uid, instances: (use?.instances ?? 0) + instances, watches: (use?.watches ?? 0) + watches, most }
}

function merged(last: ReadonlyMap<number, InotifyUse>, now: ReadonlyMap<number, InotifyUse>): readonly InotifyUse[] {
  const uids = new Set([...last.keys(), ...now.keys()])
  return [...uids].flatMap((uid) => {
    const [before, current] = [last.get(uid), now.get(uid)]
    if (before === undefined || current === undefined) return before ?? current ?? []
    const more = current.instances > before.instances ? current : before
    return { ...more, watches: Math.max(before.watches, current.watches) }
  })
}
