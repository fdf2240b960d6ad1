/** The logs of a host that detectors have asked for: each is followed from the first look on, and let go when nobody looks. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { type Command, JOURNALCTL, type LogTally, type LogWatch, NotApplicable } from '../host/port.ts'
import { FileFollower } from './file.ts'
import type { Follower } from './follower.ts'
import { JournalFollower } from './journal.ts'
import { KmsgFollower } from './kmsg.ts'
import { Sink } from './sink.ts'

/** A detector looks at least once a day. */
const IDLE_MS = 25 * 3_600_000
/** Who takes over from the one that let go, as a plugin that is loaded anew, looks within seconds. */
const TAKEN_OVER_WITHIN_MS = 60_000
/**
 * Other patterns are another watch, and what was looked for before is let go only when it is idle: settings that change often
 * must not leave a journalctl behind each time. Far more than there are detectors of logs.
 */
const FOLLOWED_MAX = 64

interface Followed {
  readonly follower: Follower
  readonly sink: Sink
  idle: NodeJS.Timeout
}

export interface Logs {
  /** As `Host.log`. */
  look(watch: LogWatch, signal: AbortSignal): Promise<readonly LogTally[]>
  /** As `Host.letGo`. */
  letGo(watch: LogWatch): void
  /** Follows none any more: files are closed, programs ended, and each look from now on rejects. */
  close(): void
}

/** The words to go before a program of the host, if any. Rejects when it cannot be run. */
export type IntoHost = (program: string) => Promise<Command | undefined>

/** `locate`: where a path of the host is found here. */
export function createLogs(locate: (path: string) => string, intoHost: IntoHost = async () => undefined): Logs {
  /** Whom nobody has looked at for longest comes first. */
  const followed = new Map<string, Followed>()
  const closed = new AbortController()

  const follow = async (key: string, watch: LogWatch): Promise<Followed> => {
    const sink = new Sink(watch)
    const follower = await startFollower(watch, sink, locate, intoHost)
    if (closed.signal.aborted) follower.close()
    closed.signal.throwIfAborted()
    const started = { follower, sink, idle: idleIn(key, IDLE_MS) }
    followed.set(key, started)
    const [oldest] = followed.keys()
    if (followed.size > FOLLOWED_MAX && oldest !== undefined) drop(oldest)
    return started
  }

  const idleIn = (key: string, ms: number) => setTimeout(() => drop(key), ms).unref()

  const drop = (key: string) => {
    const gone = followed.get(key)
    clearTimeout(gone?.idle)
    gone?.follower.close()
    followed.delete(key)
  }

  return {
    async look(watch, signal) {
      signal.throwIfAborted()
      closed.signal.throwIfAborted()
      const key = JSON.stringify(watch)
      const current = followed.get(key) ?? (await follow(key, watch))
      clearTimeout(current.idle)
      current.idle = idleIn(key, IDLE_MS)
      if (followed.delete(key)) followed.set(key, current)
      try {
        await current.follower.catchUp(signal)
      } catch (error) {
        // A file that is gone is looked for again; the journal's reader starts itself again.
        if (watch.source.kind === 'kmsg') drop(key)
        throw error
      }
      return current.sink.read()
    },
    letGo(watch) {
      const key = JSON.stringify(watch)
      const current = followed.get(key)
      if (current === undefined) return
      clearTimeout(current.idle)
      current.idle = idleIn(key, TAKEN_OVER_WITHIN_MS)
    },
    close() {
      closed.abort(new Error('logs are no longer followed'))
      for (const key of followed.keys()) drop(key)
    },
  }
}

async function startFollower(
  { source, holdMs }: LogWatch,
  sink: Sink,
  locate: (path: string) => string,
  intoHost: IntoHost,
): Promise<Follower> {
  switch (source.kind) {
    case 'file':
      return new FileFollower(source.path, locate(source.path), source.timestamp, sink)
    case 'kmsg':
      await requireThere('/dev/kmsg', locate('/dev/kmsg'), constants.R_OK)
      return new KmsgFollower(locate('/dev/kmsg'), sink)
    case 'journal': {
      const way = (await intoHost(JOURNALCTL)) ?? []
      await requireThere(JOURNALCTL, locate(JOURNALCTL), constants.X_OK)
      const fields = Object.entries(source.fields).map(([name, value]) => `${name}=${value}`)
      return new JournalFollower(JOURNALCTL, fields, holdMs, sink, way)
    }
  }
}

async function requireThere(path: string, located: string, mode: number): Promise<void> {
  try {
    await access(located, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new NotApplicable(`${path} does not exist on this host`)
    throw new Error(`${path} cannot be read: ${code}`, { cause: error })
  }
}
