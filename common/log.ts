/** Where a part writes what happened: constant text and its figures as fields. A pino logger is one. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const nothing = (): void => {}

/** For callers that do not care. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
