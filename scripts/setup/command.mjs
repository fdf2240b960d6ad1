/** Running other programs during set-up: their output is kept back and shown only when they fail. */
import { spawn } from 'node:child_process'

/** Lines kept of each end of a failed program's output: npm gives its reason first, apt-get last. */
const EXCERPT_LINES = 6

/** Something that set-up cannot get past; `remedy` is what the reader can do about it. */
export class SetupError extends Error {
  constructor(message, remedy) {
    super(message)
    this.remedy = remedy
  }
}

/**
 * Runs a program to its end. Never throws: a program that cannot be started answers with code 127.
 * Returns its exit code, all of stdout, and an excerpt of stdout and stderr together.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let stdout = ''
    let both = ''
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      both += chunk
    })
    child.stderr.on('data', (chunk) => {
      both += chunk
    })
    child.once('error', (error) => resolve({ code: 127, stdout, excerpt: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, stdout, excerpt: excerptOf(both) }))
  })
}

function excerptOf(text) {
  const isStackFrame = (line) => /\bat .+:\d+:\d+\)?/.test(line)
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !isStackFrame(line))
  if (lines.length <= 2 * EXCERPT_LINES) return lines.join('\n')
  return [...lines.slice(0, EXCERPT_LINES), '...', ...lines.slice(-EXCERPT_LINES)].join('\n')
}
