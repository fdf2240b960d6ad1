/**
 * Carries out the changes of a plan one by one, for remediators whose changes are each a value that can be read and set:
 * nothing is written before all are known to be as the plan says, and what is as it is to become is left alone.
 */
import { type Change, type Plan, StalePlan } from './contract.ts'

/** One value of the host, in the form in which plans name it. */
export interface Value {
  read(): Promise<string>
  write(value: string): Promise<void>
}

/** The value that `Change.what` names. */
export type Values = (what: string) => Value

/** A value can be a whole file; in a message its beginning says enough. */
const SAID_LENGTH_MAX = 200

/** Throws StalePlan, having changed nothing, when a value is neither its before nor its after. */
export async function applyChanges({ changes }: Plan, values: Values, signal: AbortSignal): Promise<void> {
  const pending: Change[] = []
  for (const change of changes) {
    signal.throwIfAborted()
    const current = await values(change.what).read()
    if (current === change.after) continue
    if (current !== change.before) {
      throw new StalePlan(`${change.what} is ${said(current)}, and the plan was made for ${said(change.before)}`)
    }
    pending.push(change)
  }
  for (const { what, after } of pending) {
    signal.throwIfAborted()
    await set(values(what), what, after)
  }
}

/**
 * Puts every before-value back, the last first, whatever the value is now: the host may have made of ours one that the plan
 * does not name.
 */
export async function revertChanges({ changes }: Plan, values: Values, signal: AbortSignal): Promise<void> {
  for (const { what, before } of changes.toReversed()) {
    signal.throwIfAborted()
    const value = values(what)
    if ((await value.read()) !== before) await set(value, what, before)
  }
}

/** Throws when another value is kept than was given; the kernel clamps some instead of refusing them. */
async function set(value: Value, what: string, to: string): Promise<void> {
  await value.write(to)
  const kept = await value.read()
  if (kept !== to) throw new Error(`${what} was set to ${said(to)}, and the kernel made it ${said(kept)}`)
}

function said(value: string): string {
  return value.length > SAID_LENGTH_MAX ? `${value.slice(0, SAID_LENGTH_MAX)}…` : value
}
