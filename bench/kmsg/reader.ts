/** The process whose cost is measured: it follows a kernel's log as an agent does, looks now and then, and says what it found. */
import { createHost } from '../../detectors/host/host.ts'
import type { LogWatch } from '../../detectors/host/port.ts'

/** As often as a detector of a log looks by default. */
const LOOK_MS = 15_000

export interface ReaderResult {
  readonly cpuSeconds: number
  readonly matches: number
  /** Looks that said that lines were lost. */
  readonly unknown: number
}

const [, , root = '/', patterns = '[]'] = process.argv
const watch: LogWatch = {
  source: { kind: 'kmsg' },
  patterns: (JSON.parse(patterns) as string[]).map((pattern) => ({ pattern, ignoreCase: false })),
  holdMs: 3_600_000,
}
const host = createHost({ node: 'bench', root, peerOffsets: () => [] })
let unknown = 0

async function look() {
  try {
    return await host.log(watch, AbortSignal.timeout(10_000))
  } catch {
    unknown += 1
    return []
  }
}

await look()
let before = process.cpuUsage()
const timer = setInterval(() => void look(), LOOK_MS)
process.on('message', async (word) => {
  if (word === 'begin') {
    before = process.cpuUsage()
    return
  }
  clearInterval(timer)
  const tallies = await look()
  const { user, system } = process.cpuUsage(before)
  const matches = tallies.reduce((sum, { agesMs }) => sum + agesMs.length, 0)
  process.send?.({ cpuSeconds: (user + system) / 1e6, matches, unknown } satisfies ReaderResult)
  process.disconnect()
})
process.send?.('ready')
