/** Why the host could not be read, as the kernel says it. */

/** ESRCH, EACCES and so on of what a method of the host threw; undefined of anything else. */
export function failureCode(error: unknown): string | undefined {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code
}
