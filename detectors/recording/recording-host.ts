/**
 * A host that notes what it is asked and what it answers, so that one look of a detector becomes a recorded host. It reads
 * nothing that the detector does not read.
 */
import { messageOf, StarlingError } from '../../common/errors.ts'
import { parseWholeNumber } from '../host/host.ts'
import {
  type FilesystemUse,
  type Host,
  NotApplicable,
  type PeerLink,
  type PeerOffset,
  RefusedCall,
  Unreachable,
} from '../host/port.ts'
import { readProcesses } from '../reading/processes.ts'
import type { HostRecord } from '../testing/fixture-host.ts'

/** What was read in one look. */
export interface Recording {
  /** Text by path. */
  readonly files: Map<string, string>
  /** Where each symbolic link points. */
  readonly links: Map<string, string>
  /** Names by folder. */
  readonly folders: Map<string, readonly string[]>
  /** Paths that were only asked for. */
  readonly present: Set<string>
  readonly absent: Set<string>
  /** Files that are there and could not be read. */
  readonly unreadable: Set<string>
  readonly ages: Map<string, number>
  readonly filesystems: Map<string, FilesystemUse>
  readonly replies: NonNullable<HostRecord['replies']>
  readonly calls: NonNullable<HostRecord['calls']>
  readonly commands: NonNullable<HostRecord['commands']>
  /** The lines that matched, by log. Of equal ones the newest text stands for all. */
  readonly logs: NonNullable<HostRecord['logs']>
  peers: readonly PeerOffset[]
  peerLinks: readonly PeerLink[]
  /** What most nodes of the pool have, by fact. */
  readonly majorities: NonNullable<HostRecord['majorities']>
}

export interface RecordingHost {
  readonly host: Host
  readonly recording: Recording
  /** Throws a StarlingError when it was more than may be recorded, so that the recording is not of the whole look. */
  requireWhole(): void
}

/** `host`, and what is read through it from now on. Reading more than `bytesMax` of it, in characters, throws an Error. */
export function recordingHost(host: Host, bytesMax: number): RecordingHost {
  const recording: Recording = {
    files: new Map(),
    links: new Map(),
    folders: new Map(),
    present: new Set(),
    absent: new Set(),
    unreadable: new Set(),
    ages: new Map(),
    filesystems: new Map(),
    replies: {},
    calls: {},
    commands: {},
    logs: {},
    peers: [],
    peerLinks: [],
    majorities: {},
  }
  let bytes = 0
  const requireWhole = () => {
    if (bytes <= bytesMax) return
    throw new StarlingError(`more than ${bytesMax / 1024 / 1024} MiB were read, which is too much to record`)
  }
  const within = (text: string): string => {
    bytes += text.length
    requireWhole()
    return text
  }
  const noting = async <T>(path: string, reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (error) {
      if (error instanceof NotApplicable) recording.absent.add(path)
      else recording.unreadable.add(path)
      throw error
    }
  }
  const readText = async (path: string): Promise<string> => {
    const text = await noting(path, host.readText(path))
    recording.files.set(path, within(text))
    return text
  }
  const readWords = async (path: string): Promise<readonly string[]> => {
    const words = await noting(path, host.readWords(path))
    recording.files.set(path, within(words.map((word) => `${word}\0`).join('')))
    return words
  }
  const list = async (path: string): Promise<readonly string[]> => {
    const names = await noting(path, host.list(path))
    recording.folders.set(
      path,
      within(names.join('\n'))
        .split('\n')
        .filter((name) => name !== ''),
    )
    return names
  }
  const recorded: Host = {
    ...host,
    readText,
    readInt: async (path) => parseWholeNumber(path, await readText(path)),
    readWords,
    processes: () => readProcesses({ list, readWords }),
    readLink: async (path) => {
      const target = await noting(path, host.readLink(path))
      recording.links.set(path, within(target))
      return target
    },
    list,
    age: async (path) => {
      const ageMs = await noting(path, host.age(path))
      recording.ages.set(path, ageMs)
      recording.present.add(path)
      return ageMs
    },
    exists: async (path) => {
      const isThere = await noting(path, host.exists(path))
      if (isThere) recording.present.add(path)
      return isThere
    },
    filesystem: async (path) => {
      const use = await host.filesystem(path)
      recording.filesystems.set(path, use)
      return use
    },
    get: async (url, options) => {
      const { onText } = options
      let text = ''
      const listen = (part: string) => {
        text += within(part)
        onText?.(part)
      }
      const asking = host.get(url, onText === undefined ? options : { ...options, onText: listen })
      const reply = await asking.catch((error: unknown) => {
        if (error instanceof Unreachable) recording.replies[url] = { unreachable: error.code }
        throw error
      })
      const { status, headers, body, tookMs } = reply
      recording.replies[url] = {
        status,
        headers: { ...headers },
        body: onText === undefined ? within(body) : text,
        tookMs,
      }
      return reply
    },
    call: async (url, message, options) => {
      const answer = await host.call(url, message, options).catch((error: unknown) => {
        if (error instanceof Unreachable) recording.calls[url] = { unreachable: error.code }
        if (error instanceof RefusedCall) recording.calls[url] = { status: error.status, why: error.why }
        throw error
      })
      recording.calls[url] = { message: within(Buffer.from(answer).toString('hex')) }
      return answer
    },
    log: async (watch, signal) => {
      const { source } = watch
      const log = source.kind === 'file' ? source.path : source.kind
      const tallies = await host.log(watch, signal).catch((error: unknown) => {
        if (!(error instanceof NotApplicable)) recording.logs[log] = messageOf(error)
        throw error
      })
      const lines = tallies.flatMap(({ agesMs, text }) => agesMs.map((ageMs) => ({ ageMs, text: within(text) })))
      recording.logs[log] = lines.toSorted((a, b) => b.ageMs - a.ageMs)
      return tallies
    },
    run: async (command, options) => {
      const result = await host.run(command, options)
      within(result.stdout + result.stderr)
      recording.commands[command.join(' ')] = { ...result }
      return result
    },
    peerOffsets: () => {
      recording.peers = host.peerOffsets()
      return recording.peers
    },
    peerLinks: () => {
      recording.peerLinks = host.peerLinks()
      return recording.peerLinks
    },
    majority: (fact, own) => {
      const majority = host.majority(fact, own)
      if (majority !== undefined) recording.majorities[fact] = majority
      return majority
    },
  }
  return { host: recorded, recording, requireWhole }
}
