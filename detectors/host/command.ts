/** Runs a program within bounds: no shell, an environment of its own, an end to its output, and an end to it. */
import { spawn } from 'node:child_process'
import { type Command, type CommandResult, NotApplicable, type RunOptions } from './port.ts'

const BYTES_MAX = 64 * 1024
/** All that a program sees: output in English, so that it can be read, and the usual places to find others. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Rejects with the signal's reason on abort, with NotApplicable when there is no such program, and with an Error that names
 * the program when it cannot be started. Whatever comes, it and all children in its process group are killed then.
 */
export function runCommand([program, ...args]: Command, options: RunOptions): Promise<CommandResult> {
  const { signal, bytesMax = BYTES_MAX } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    // A process group of its own, which can be killed with everything that the program started.
    const child = spawn(program, args, {
      cwd: '/',
      env: ENVIRONMENT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
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
      // What keeps a pipe open after that has left the group; nobody waits for it.
      child.stdout.destroy()
      child.stderr.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    child.once('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', giveUp)
      const absent = error.code === 'ENOENT'
      reject(absent ? new NotApplicable(`${program} does not exist on this host`) : notStarted(program, error))
    })
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', giveUp)
      end()
      resolve({ code, signal: by, stdout: stdout(), stderr: stderr(), truncated })
    })
  })
}

function notStarted(program: string, error: NodeJS.ErrnoException): Error {
  return new Error(`${program} cannot be started: ${error.code ?? error.message}`, { cause: error })
}

/** Returns what has come so far, at most `bytesMax`; calls `overflow` when there is more. */
function collect(stream: NodeJS.ReadableStream, bytesMax: number, overflow: () => void): () => string {
  const chunks: Buffer[] = []
  let room = bytesMax
  stream.on('data', (chunk: Buffer) => {
    if (chunk.length > room) overflow()
    if (room > 0) chunks.push(chunk.subarray(0, room))
    room = Math.max(0, room - chunk.length)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of the group have ended.
  }
}
