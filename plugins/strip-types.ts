/**
 * TypeScript to JavaScript in a process of its own. The compiler that Node has for it would stay in the agent and take 19 MB of
 * memory for as long as that runs (docs/adr/0009); the process that has it here is gone after a moment.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { UsageError } from '../common/errors.ts'

const PROGRAM = `
const { stripTypeScriptTypes } = require('node:module')
let source = ''
process.stdin.setEncoding('utf8').on('data', (part) => { source += part }).on('end', () => {
  let answer
  try {
    answer = { code: stripTypeScriptTypes(source, { sourceUrl: 'plugin' }) }
  } catch (error) {
    answer = { why: error.message, line: /^plugin:(\\d+)/.exec(error.stack)?.[1] }
  }
  process.stdout.write(JSON.stringify(answer))
})`

/** Blanks take the place of types, so lines and columns stay. Throws a UsageError with the line where it is no TypeScript. */
export async function stripTypes(source: string): Promise<string> {
  // Nothing of the agent's environment is needed, and warnings of an experimental function are nobody's here.
  const child = spawn(process.execPath, ['-e', PROGRAM], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
  const failed = once(child, 'error').then(([error]) => Promise.reject(error))
  // It may end before it has read all of it; then its answer says why.
  child.stdin.on('error', () => {})
  child.stdin.end(source)
  const answer = await Promise.race([text(child.stdout), failed])
  if (answer === '') throw new Error('its types cannot be taken out: the process that does it said nothing')
  const { code, why, line } = JSON.parse(answer) as { code?: string; why?: string; line?: string }
  if (code !== undefined) return code
  throw new UsageError(`line ${line ?? '?'}: ${why}`)
}
