/** Whether it is the journal that refused, as on a full disk, and not what was to be written: it may take it later. */
export function isOfJournal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}
