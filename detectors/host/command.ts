/**
 * Runs a program within bounds: no shell, an environment of its own, an end to its output, and an end to it and to all that it
 * started, which is found by a mark in its environment also when it has left the process group.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { confined, requireConfined } from './confinement.ts'
import { Leftovers } from './leftovers.ts'
import { intoHost, requireEntered } from './namespaces.ts'
import { type Command, type CommandResult, NotApplicable, type RunOptions } from './port.ts'
import { requireProgram } from './program-file.ts'
import { realPathWithin } from './program-view.ts'

const BYTES_MAX = 64 * 1024
/** All that a program sees: output in English, so that it can be read, and the usual places to find others. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }
/** How long after its end a program's pipes may be held open by what it left behind. */
const PIPES_MS = 200

/**
 * Rejects with the signal's reason on abort, with NotApplicable when there is no such program, and with an Error that names
 * the program when it cannot be started. Whatever comes, it and all that it started are killed then. `root`: where that of
 * the host is mounted; what runs there with limits is the host's own business, and NotApplicable.
 */
export async function runCommand(command: Command, options: RunOptions, root = '/'): Promise<CommandResult> {
  const { signal, limits } = options
  signal.throwIfAborted()
  const way = await intoHost(root, command[0])
  if (way !== undefined) return await runInHost(command, options, root, way)
  await requireProgram(command[0])
  const leftovers = new Leftovers()
  try {
    if (limits === undefined) return await runMarked(command, leftovers, options)
    const result = await runMarked(await confined(command, limits), leftovers, options)
    requireConfined(command[0], result)
    return result
  } finally {
    await leftovers.kill()
  }
}

/** Out of a container: `way` is what goes before. */
async function runInHost(command: Command, options: RunOptions, root: string, way: Command) {
  const [program] = command
  // What holds a program to its limits would be looked for, and made, here and not there.
  if (options.limits !== undefined) throw new NotApplicable(`${program} cannot be held to limits from a container`)
  const located = await realPathWithin(root, program)
  if (located === undefined) throw new NotApplicable(`${program} does not exist on this host`)
  await requireProgram(program, located)
  const leftovers = new Leftovers()
  try {
    const result = await runMarked([...way, ...command], leftovers, options)
    requireEntered(program, result)
    return result
  } finally {
    await leftovers.kill()
  }
}

function runMarked([program, ...args]: Command, leftovers: Leftovers, options: RunOptions): Promise<CommandResult> {
  const { signal, bytesMax = BYTES_MAX } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // A process group of its own, which can be killed with everything that the program started.
    const child = spawn(program, args, {
      cwd: '/',
      env: { ...ENVIRONMENT, ...leftovers.environment },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    leftovers.of(child.pid)
    const end = () => killGroup(child.pid)
    let truncated = false
    const overflow = () => {
      truncated = true
      end()
    }
    const stdout = collect(child.stdout, bytesMax, overflow)
    const stderr = collect(child.stderr, bytesMax, overflow)
    const giveUp = () => {
      end()
      dropPipes(child)
      reject(signal.reason)
    }
    let pipes: NodeJS.Timeout | undefined
    signal.addEventListener('abort', giveUp, { once: true })
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', giveUp)
      reject(new Error(`${program} cannot be started: ${error.code ?? error.message}`, { cause: error }))
    })
    child.once('exit', () => {
      end()
      pipes = setTimeout(() => void leftovers.kill().then(() => dropPipes(child)), PIPES_MS)
    })
    child.once('close', (code, by) => {
      clearTimeout(pipes)
      signal.removeEventListener('abort', giveUp)
      resolve({ code, signal: by, stdout: stdout(), stderr: stderr(), truncated })
    })
  })
}

/** Returns what has come so far, at most `bytesMax`; calls `overflow` when there is more. */
function collect(stream: Readable, bytesMax: number, overflow: () => void): () => string {
  const chunks: Buffer[] = []
  let room = bytesMax
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > room) overflow()
    if (room > 0) chunks.push(chunk.subarray(0, room))
    room = Math.max(0, room - chunk.length)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function dropPipes(child: ChildProcessByStdio<null, Readable, Readable>): void {
  child.stdout.destroy()
  child.stderr.destroy()
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of the group have ended.
  }
}
