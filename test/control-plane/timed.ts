/** Says how long something took: for people, nothing depends on it. */
export async function timed(what: string, work: Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  await work
  process.stderr.write(`    ${what}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`)
}
