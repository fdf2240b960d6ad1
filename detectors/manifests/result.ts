/** What the dialects of plugins have in common: what one of them says, in the words of none of them. */
import type { Measure } from '../contract.ts'

/** One thing that a plugin says about the host. What it does not know is no result: its parser throws an Error. */
export interface PluginResult {
  /** `ok`, or what the dialect calls a fault: a state that the manifest maps to a reason, or the reason itself. */
  readonly state: string
  /** Tells apart several causes under one reason; empty when there is just one. */
  readonly cause: string
  readonly message: string
  readonly evidence: readonly Measure[]
}

/** The part of a run that says how it ended; `CommandResult` in the port. */
export interface PluginOutput {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly truncated: boolean
}

/** Throws an Error unless the plugin came to its own end and all that it said is there. */
export function requireWhole({ code, signal, truncated }: PluginOutput): number {
  if (truncated) throw new Error('it said more than it may, and was ended for it')
  if (code === null) throw new Error(`it was ended by ${signal ?? 'a signal'}`)
  return code
}

/** What the plugin said about an exit that is no answer: its first line on stdout, else on stderr. */
export function complaint({ code, stdout, stderr }: PluginOutput): string {
  const said = oneLine(stdout) || oneLine(stderr)
  return said === '' ? `it exited with ${code} and said nothing` : `it exited with ${code}: ${said}`
}

/** The first line that is not blank, without control characters, which terminals and logs would obey. */
export function oneLine(text: string): string {
  for (const line of text.split('\n')) {
    const clean = printable(line)
    if (clean !== '') return clean
  }
  return ''
}

/** A sentence, whose blanks mean no more than that words end there. */
export function printable(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim()
}

/** A name, of which two that differ in their blanks only are two. */
export function printableName(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim()
}
