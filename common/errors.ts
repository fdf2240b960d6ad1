/**
 * Errors a person can act on. `StarlingError` says what is wrong and what to do about it, in one line each;
 * the command line prints just those lines, and anything else with its stack, since that is a bug of ours.
 */

/** The command line's exit codes, stable for scripts. */
export const ExitCode = { ok: 0, error: 1, usage: 2, problem: 3, warnings: 4 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export class StarlingError extends Error {
  override name = 'StarlingError'
  /** What the reader can do about it; printed on a line of its own. */
  readonly remedy: string | undefined
  readonly exitCode: ExitCode

  constructor(message: string, options: { remedy?: string; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.remedy = options.remedy
    this.exitCode = options.exitCode ?? ExitCode.error
  }
}

/** A file or flag that the person wrote is wrong: nothing was started. */
export class UsageError extends StarlingError {
  override name = 'UsageError'
  constructor(message: string, remedy?: string) {
    super(message, { ...(remedy === undefined ? {} : { remedy }), exitCode: ExitCode.usage })
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
