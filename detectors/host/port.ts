/**
 * What a detector may ask of the host that it looks at. This port is all it gets: on a node it is host.ts, in tests and in
 * `starling detectors run --host-root` a recorded host (testing/fixture-host.ts).
 */

export const NEEDS = [
  'CAP_SYSLOG',
  'CAP_DAC_READ_SEARCH',
  'CAP_SYS_PTRACE',
  'CAP_NET_ADMIN',
  'kmsg',
  'cri',
  'dbus',
] as const
/** A privilege that a host may withhold; a detector lacking one answers `not-applicable: needs …`. */
export type Need = (typeof NEEDS)[number]

/** Everything a detector may touch. Paths are absolute paths of the host, whatever they are mounted under. */
export interface Host {
  readonly node: string
  /** Those of `needs` that the agent was not given. What the host itself does not have is not among them. */
  missing(needs: readonly Need[]): Promise<readonly Need[]>
  /**
   * Throws NotApplicable when it does not exist, an Error naming the path when it cannot be read or is over 1 MiB; below /proc,
   * whose tables grow with the host, 8 MiB.
   */
  readText(path: string): Promise<string>
  /** Like readText, and an Error naming the path when the content is no whole number. */
  readInt(path: string): Promise<number>
  /**
   * The first words of a file of words that each end in NUL, as /proc/PID/cmdline: those within its first 4 KiB, and what is
   * no UTF-8 in them replaced. None when it is empty. Throws as readText, and NotApplicable of a process that has ended.
   */
  readWords(path: string): Promise<readonly string[]>
  /**
   * The processes of the host. `lately`: as they were at most 2 s ago, so that detectors that look at the same moment read
   * /proc once. `now`: as they were after the question. Throws an Error where /proc shows an agent its own processes only.
   */
  processes(asOf: 'lately' | 'now'): Promise<ProcessTable>
  /** Where a symbolic link points, as it is written in it: a path of the host, or such as `anon_inode:inotify`. Throws as readText. */
  readLink(path: string): Promise<string>
  /** Names in a folder, in no order. Throws as readText. */
  list(path: string): Promise<readonly string[]>
  /** How long ago a file was last written, in ms by the host's clock; below 0 when that lies ahead. Throws as readText. */
  age(path: string): Promise<number>
  /** Throws an Error naming the path when not even that can be seen. */
  exists(path: string): Promise<boolean>
  /** Size and use of the filesystem that `path` is on. */
  filesystem(path: string): Promise<FilesystemUse>
  /**
   * One GET of a service of this host, over `http:`, `https:`, or `unix:/path/of/socket:/path/of/request`. Redirects are
   * not followed. Throws Unreachable when nothing answers there, an Error when the answer is no HTTP or over `bytesMax`.
   */
  get(url: string, options: GetOptions): Promise<HttpReply>
  /**
   * One gRPC call, a message for a message, of a service of this host: `unix:/path/of/socket:/package.Service/Method`, or
   * `http:` or `https:` with that path. Returns the message that is the answer. Throws Unreachable when nothing answers
   * there, RefusedCall when the service says no, an Error when the answer is no gRPC or over `bytesMax`.
   */
  call(url: string, message: Uint8Array, options: CallOptions): Promise<Uint8Array>
  /**
   * Runs a program of the host, by its absolute path, without a shell, with an empty input and none of the agent's
   * environment; it and its children are killed on abort. Throws NotApplicable when there is no such program here.
   */
  run(command: Command, options: RunOptions): Promise<CommandResult>
  /**
   * What of `watch` is found in a log that still counts. The log is followed from the first call on, between looks as well.
   * Throws NotApplicable when there is no such log, and an Error when not all of it could be looked at since the last call.
   */
  log(watch: LogWatch, signal: AbortSignal): Promise<readonly LogTally[]>
  /** Follows it no longer, unless somebody looks at it within a minute. Absent where nothing is followed. */
  letGo?(watch: LogWatch): void
  /** Offsets measured within the last 10 s against the peers this node shares an edge with. */
  peerOffsets(): readonly PeerOffset[]
  /** How the beats to those peers fared within the last minute. */
  peerLinks(): readonly PeerLink[]
  /**
   * What nearly all nodes of this node's pool have for a fact, such as `kernel-params/vm.swappiness`; undefined while there
   * is no such majority. `own`: what this node has, which the others are told; at most 128 and 256 bytes of UTF-8, and of
   * 16 facts named `...-version` and 48 others.
   */
  majority(fact: string, own: string): Majority | undefined
}

export interface ProcessTable {
  readonly processes: readonly HostProcess[]
  /** Why one could not be seen, the first of them; they are not among `processes`. */
  readonly unseen: Error | undefined
  /** Read after the question: what is not in it was not there. */
  readonly isFresh: boolean
}

export interface HostProcess {
  /** Its number in /proc. */
  readonly id: string
  /** Of its command line, as readWords; none: a thread of the kernel, a zombie, or one that has ended. */
  readonly words: readonly string[]
}

export interface FilesystemUse {
  readonly bytes: number
  readonly bytesUsed: number
  /** What an unprivileged process can still write. */
  readonly bytesAvailable: number
  readonly inodes: number
  readonly inodesFree: number
}

/** What every request to a service has. */
export interface CallOptions {
  readonly signal: AbortSignal
  /** How long the whole answer may take; Unreachable (ETIMEDOUT) when it takes longer. Until `signal` when not given. */
  readonly withinMs?: number
  /** For `https:`. */
  readonly tls?: TlsOptions
  /** 1 MiB when not given. */
  readonly bytesMax?: number
}

export interface GetOptions extends CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Takes the body piece by piece as it comes, for what is too large to keep; HttpReply.body stays empty. */
  readonly onText?: (piece: string) => void
}

/** Paths of PEM files of the host. */
export interface TlsOptions {
  /** Whose signature is trusted. The system's authorities when not given. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Takes any certificate, as for a kubelet that signs its own. Only for services on the loopback interface. */
  readonly anyServer?: boolean
}

export interface HttpReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** From the request to the end of the answer. */
  readonly tookMs: number
}

/** An absolute path, and arguments as the program gets them. */
export type Command = readonly [program: string, ...args: string[]]

export interface RunOptions {
  readonly signal: AbortSignal
  /** Of each of stdout and stderr; 64 KiB when not given. What is more ends the program. */
  readonly bytesMax?: number
  /** For programs that did not come with the host's own packages; none when not given. */
  readonly limits?: RunLimits
}

/** What a program and each process that it starts may take, by setrlimit(2), and as whom it runs. */
export interface RunLimits {
  /** Of data and heap. Allocations beyond it fail. */
  readonly memoryBytes: number
  /** Of processor time; then it is killed. */
  readonly cpuSeconds: number
  /** To which it may write any one file. */
  readonly fileBytes: number
  /** As user and group 65534 with no way back to more rights, where the agent is root. */
  readonly asNobody: boolean
  /** In a network of its own with nothing in it, where the agent is root. */
  readonly withoutNetwork: boolean
  /** What it finds of the host, where bwrap can be used; all of it when not given. */
  readonly sees?: ProgramSight
}

/** Globs of absolute paths, as in `touches`. Beside the program it sees what every program needs: libraries, null, a /tmp of its own. */
export interface ProgramSight {
  readonly paths: readonly string[]
  /** Seen too. */
  readonly writes: readonly string[]
  readonly commands: readonly string[]
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null
  /** SIGKILL and so on; null when it exited. */
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** It said more than `bytesMax` and was killed for it; what is here is the beginning. */
  readonly truncated: boolean
}

/** What reads the journal; a detector that follows it names it among the programs that it touches. */
export const JOURNALCTL = '/usr/bin/journalctl'

/** Where container runtimes listen unless told otherwise. Of these `cri` asks for one that is open to the agent. */
export const CRI_SOCKETS = {
  containerd: '/run/containerd/containerd.sock',
  crio: '/run/crio/crio.sock',
  /** And RKE2. */
  k3s: '/run/k3s/containerd/containerd.sock',
  microk8s: '/var/snap/microk8s/common/run/containerd.sock',
  criDockerd: '/run/cri-dockerd.sock',
} as const

export type LogSource =
  /** The kernel's, /dev/kmsg. */
  | { readonly kind: 'kmsg' }
  /** Lines that begin to be followed at the end of the file, unless `timestamp` matches the part that says when they were written. */
  | { readonly kind: 'file'; readonly path: string; readonly timestamp?: string }
  /** Entries of systemd's journal that have these fields. */
  | { readonly kind: 'journal'; readonly fields: Readonly<Record<string, string>> }

export interface LogWatch {
  readonly source: LogSource
  readonly patterns: readonly LogPattern[]
  /** How long a match counts. */
  readonly holdMs: number
}

export interface LogPattern {
  /** A regular expression without looking around or back; its group `cause`, if any, tells apart several causes. */
  readonly pattern: string
  readonly ignoreCase: boolean
}

/** Matches of one pattern with one cause. */
export interface LogTally {
  /** Its place in `watch.patterns`. */
  readonly pattern: number
  readonly cause: string
  /** The line that matched last. */
  readonly text: string
  /** Of the newest 64 matches, newest first; never empty. Below 0 by as much as the log's clock is ahead. */
  readonly agesMs: readonly number[]
}

/** A peer's clock against ours, from the mesh's own acknowledgements. */
export interface PeerOffset {
  readonly node: string
  /** Peer's wall clock minus ours, in ms. */
  readonly offsetMs: number
  /** The true offset lies within ± this, half of the round trip. */
  readonly errorMs: number
}

/** The way to a peer and back, from the mesh's own beats. */
export interface PeerLink {
  readonly node: string
  /** Both are in the same zone. */
  readonly isNear: boolean
  /** Beats that it is known from, and those of them that were lost, or sent again. */
  readonly beats: number
  readonly lost: number
  /** Round trips in ms, of the beats that were not lost. */
  readonly medianMs: number
  readonly p95Ms: number
}

export interface Majority {
  /** The nodes with the same roles as this one, by those roles. */
  readonly pool: string
  readonly value: string
  /** How many nodes have it, and how many told what they have. */
  readonly nodes: number
  readonly of: number
}

/** Thrown by `sample` when the host has no such thing to look at. It is an answer, not a failure. */
export class NotApplicable extends Error {
  override name = 'NotApplicable'
}

/** No service answers at an address: refused, no such socket, no answer at all. */
export class Unreachable extends Error {
  override name = 'Unreachable'
  /** ECONNREFUSED, ENOENT and so on. */
  readonly code: string

  constructor(address: string, code: string, options?: ErrorOptions) {
    super(`${address} cannot be reached: ${code}`, options)
    this.code = code
  }
}

/** A service answered a gRPC call with a status other than OK. */
export class RefusedCall extends Error {
  override name = 'RefusedCall'
  /** Of the statuses of gRPC: 12 is UNIMPLEMENTED, it has no such method. */
  readonly status: number
  /** As the service says it. */
  readonly why: string

  constructor(url: string, status: number, why: string) {
    super(`${url} answers with gRPC status ${status}${why === '' ? '' : `: ${why}`}`)
    this.status = status
    this.why = why
  }
}
