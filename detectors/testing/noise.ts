/** Hosts that answer anything, nothing, or in another order: what a detector must bear. */
import fc from 'fast-check'
import type { FilesystemUse, Host } from '../contract.ts'
import { parseWholeNumber } from '../host/host.ts'
import { tallyLines } from '../logs/recorded.ts'

/** One that answers everything with what is given, whatever it is asked for. */
export function garbageHost(text: string, use: FilesystemUse, offsets: readonly (readonly [number, number])[]): Host {
  return {
    node: 'node-7',
    missing: async () => [],
    readText: async () => text,
    readInt: async (path) => parseWholeNumber(path, text),
    readWords: async () => text.split('\0'),
    processes: async () => ({ processes: [{ id: '7', words: text.split('\0') }], unseen: undefined, isFresh: true }),
    readLink: async () => text,
    list: async () => ['1', '7', text],
    age: async () => 0,
    exists: async () => true,
    filesystem: async () => use,
    get: async (_, { onText }) => {
      onText?.(text)
      return { status: 200, headers: {}, body: onText === undefined ? text : '', tookMs: 1 }
    },
    call: async () => Buffer.from(text),
    run: async () => ({ code: 0, signal: null, stdout: text, stderr: '', truncated: false }),
    log: async (watch) => tallyLines(watch, [{ ageMs: 0, text }]),
    peerOffsets: () => offsets.map(([offsetMs, errorMs], index) => ({ node: `n${index}`, offsetMs, errorMs })),
    peerLinks: () =>
      offsets.map(([medianMs, p95Ms], index) => {
        return { node: `n${index}`, isNear: index % 2 === 0, beats: 60, lost: index, medianMs, p95Ms }
      }),
    majority: () => ({ pool: 'worker', value: text, nodes: 30, of: 31 }),
  }
}

/** As `host`, but that nothing of it can be read: each attempt fails as a broken disk would make it. */
export function brokenHost(host: Host): Host {
  const fail = async (what: string): Promise<never> => {
    throw new Error(`${what} cannot be read: EIO`)
  }
  return {
    ...host,
    readText: fail,
    readInt: fail,
    readWords: fail,
    processes: () => fail('/proc'),
    readLink: fail,
    list: fail,
    age: fail,
    exists: fail,
    filesystem: fail,
    get: fail,
    call: fail,
    run: ([program]) => fail(program),
    log: ({ source }) => fail(source.kind),
  }
}

/** As `host`, with the names in each folder in another order: those from `turn` on come first. */
export function reorderedHost(host: Host, turn: number): Host {
  return {
    ...host,
    list: async (path) => {
      const names = await host.list(path)
      const start = names.length === 0 ? 0 : turn % names.length
      return [...names.slice(start), ...names.slice(0, start)]
    },
    processes: async (asOf) => {
      const table = await host.processes(asOf)
      return { ...table, processes: turn % 2 === 0 ? table.processes : table.processes.toReversed() }
    },
  }
}

/** As `host`, whose services and programs do not answer until they are given up. `onWait`: one is being waited for. */
export function slowHost(host: Host, onWait: () => void): Host {
  const never = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      onWait()
    })
  return {
    ...host,
    get: (_, { signal }) => never(signal),
    call: (_, _message, { signal }) => never(signal),
    run: (_, { signal }) => never(signal),
    log: (_, signal) => never(signal),
  }
}

export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('', '0', '-1', '1e9', 'NaN', '99999999999999999999', '/dev/sda1 / ext4 rw 0 0', 'kubelet\0'),
  fc
    .array(fc.array(fc.constantFrom('/', 'ext4', 'rw', '\\040', '\\', '0'), { maxLength: 7 }), { maxLength: 5 })
    .map((lines) => lines.map((fields) => fields.join(' ')).join('\n')),
)

const anyFigure = fc.oneof(fc.constantFrom(0, -1, Number.NaN, Infinity), fc.double())

export const anyUse = fc.record({
  bytes: anyFigure,
  bytesUsed: anyFigure,
  bytesAvailable: anyFigure,
  inodes: anyFigure,
  inodesFree: anyFigure,
})

export const anyOffsets = fc.array(fc.tuple(anyFigure, anyFigure), { maxLength: 8 })
