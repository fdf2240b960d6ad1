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

/**
 * Resolves at SIGINT, SIGTERM or SIGHUP (the terminal was closed), and in a process that `starling up` started also when
 * that is gone, however it went. Later signals change nothing: a terminal and npm each pass the same Ctrl-C on.
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    // Only a process that was started with a channel to its parent has it.
    if (process.send === undefined) return
    if (process.connected) process.once('disconnect', resolve)
    else resolve()
  })
}
