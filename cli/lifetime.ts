/** How long a process of ours runs: until it is asked to end. */

export interface Stoppable {
  stop(): Promise<void>
}

/** Resolves when SIGINT or SIGTERM came and `running` has stopped. A second signal ends the process at once. */
export async function runUntilSignal(running: Stoppable): Promise<void> {
  await untilSignal()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  await running.stop()
}

export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
