/**
 * A recorded host: a folder with the files that the host had at their paths, and in its `host.json` what is no file. This is
 * what detectors are tested with, and what `starling plugin record` writes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, UsageError } from '../../common/errors.ts'
import { createHost } from '../host/host.ts'
import { type CommandResult, type Host, NEEDS, NotApplicable, RefusedCall, Unreachable } from '../host/port.ts'
import { tallyLines } from '../logs/recorded.ts'
import { readProcesses } from '../reading/processes.ts'

const figure = z.number()
/** Why nothing answers there: ETIMEDOUT and so on. What is not given at all is ECONNREFUSED. */
const unreachable = z.strictObject({ unreachable: z.string() })
/** Everything of a host that is no file. What is not given is not there: not mounted, not installed, not listening. */
export const recordSchema = z.strictObject({
  node: z.string().min(1).default('node-7'),
  /** Privileges that the agent lacks there. */
  missing: z.array(z.enum(NEEDS)).default([]),
  /** By mount point. */
  filesystems: z
    .record(
      z.string(),
      z.strictObject({
        bytes: figure,
        bytesUsed: figure,
        bytesAvailable: figure,
        inodes: figure,
        inodesFree: figure,
      }),
    )
    .default({}),
  /** Replies by URL. */
  replies: z
    .record(
      z.string(),
      z.union([
        unreachable,
        z.strictObject({
          status: z.int(),
          headers: z.record(z.string(), z.string()).default({}),
          body: z.string(),
          tookMs: figure.default(1),
        }),
      ]),
    )
    .default({}),
  /** Answers to gRPC calls by URL: the message in hexadecimal digits, or a status other than OK. */
  calls: z
    .record(
      z.string(),
      z.union([
        unreachable,
        z.strictObject({ message: z.hex() }),
        z.strictObject({ status: z.int().min(1), why: z.string().default('') }),
      ]),
    )
    .default({}),
  /** Results by command line, its words joined by one blank. */
  commands: z
    .record(
      z.string(),
      z.strictObject({
        code: z.int().nullable().default(0),
        signal: z.string().nullable().default(null),
        stdout: z.string().default(''),
        stderr: z.string().default(''),
        truncated: z.boolean().default(false),
      }) satisfies z.ZodType<CommandResult>,
    )
    .default({}),
  /** How long ago files were last written, in ms by path; 0 for those not named, as a checkout does not keep it. */
  ages: z.record(z.string(), figure).default({}),
  /** Lines of logs, `kmsg`, `journal` or the path of a file, oldest first; in place of them why they could not all be read. */
  logs: z
    .record(z.string(), z.union([z.string(), z.array(z.strictObject({ ageMs: figure, text: z.string() }))]))
    .default({}),
  peers: z.array(z.strictObject({ node: z.string(), offsetMs: figure, errorMs: figure })).default([]),
  /** By fact. */
  majorities: z
    .record(
      z.string(),
      z.strictObject({ pool: z.string().default('worker'), value: z.string(), nodes: figure, of: figure }),
    )
    .default({}),
  peerLinks: z
    .array(
      z.strictObject({
        node: z.string(),
        isNear: z.boolean().default(true),
        beats: figure.default(60),
        lost: figure.default(0),
        medianMs: figure.default(0.4),
        p95Ms: figure.default(0.9),
      }),
    )
    .default([]),
})

const REFUSED = { unreachable: 'ECONNREFUSED' }

/** What may stand in `host.json`; every key has a default. */
export type HostRecord = z.input<typeof recordSchema>

/**
 * The host recorded in the folder `root`, with what `changed` says in place of what its `host.json` does. Throws a
 * UsageError when that file is not of the right form.
 */
export function fixtureHost(root: string, changed: HostRecord = {}): Host {
  const record = readRecord(join(root, 'host.json'), changed)
  const { node, missing, filesystems, replies, calls, commands, ages, logs, peers, peerLinks, majorities } = record
  const files = createHost({
    node,
    root,
    peerOffsets: () => peers,
    peerLinks: () => peerLinks,
    majority: (fact) => majorities[fact],
  })
  return {
    ...files,
    // Tests change what is recorded between two looks.
    processes: () => readProcesses(files),
    age: async (path) => {
      await files.age(path)
      return ages[path] ?? 0
    },
    missing: async (needs) => needs.filter((need) => missing.includes(need)),
    filesystem: async (path) => {
      const use = filesystems[path]
      if (use === undefined) throw new NotApplicable(`${path} is not mounted`)
      return use
    },
    get: async (url, { signal, onText }) => {
      signal.throwIfAborted()
      const reply = replies[url] ?? REFUSED
      if ('unreachable' in reply) throw new Unreachable(url, reply.unreachable)
      onText?.(reply.body)
      return onText === undefined ? reply : { ...reply, body: '' }
    },
    log: async (watch, signal) => {
      signal.throwIfAborted()
      const lines = logs[watch.source.kind === 'file' ? watch.source.path : watch.source.kind]
      if (lines === undefined) throw new NotApplicable('this host has no such log')
      if (typeof lines === 'string') throw new Error(lines)
      return tallyLines(watch, lines)
    },
    call: async (url, _message, { signal }) => {
      signal.throwIfAborted()
      const answer = calls[url] ?? REFUSED
      if ('unreachable' in answer) throw new Unreachable(url, answer.unreachable)
      if ('status' in answer) throw new RefusedCall(url, answer.status, answer.why)
      return Buffer.from(answer.message, 'hex')
    },
    run: async (command, { signal }) => {
      signal.throwIfAborted()
      const result = commands[command.join(' ')]
      if (result === undefined) throw new NotApplicable(`${command[0]} does not exist on this host`)
      return result
    },
  }
}

function readRecord(file: string, changed: HostRecord): z.infer<typeof recordSchema> {
  try {
    return recordSchema.parse({ ...JSON.parse(readIfThere(file)), ...changed })
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new UsageError(`${file} is not the record of a host: ${why}`)
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}'
    throw error
  }
}
