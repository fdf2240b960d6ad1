/** What to make of a file that may not be read, where only some hosts have it and others do without. */
import { type Host, type Need, NotApplicable } from '../contract.ts'

/**
 * NotApplicable, saying that `privilege` is needed in order to do `what`, where the agent was not given it; `error` itself
 * where it was, and could not read the file for all that.
 */
export async function withheld(
  host: Host,
  what: string,
  error: unknown,
  privilege: Need = 'CAP_DAC_READ_SEARCH',
): Promise<unknown> {
  const [lacking] = await host.missing([privilege])
  return lacking === undefined ? error : new NotApplicable(`needs ${lacking} to ${what}`)
}
