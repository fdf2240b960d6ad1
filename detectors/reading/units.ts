/** What systemctl says, in the form that it has for programs. */
import { type CommandResult, type Host, NotApplicable } from '../contract.ts'

/** Where it is: before the merge of /usr it was the second. */
export const SYSTEMCTL = ['/usr/bin/systemctl', '/bin/systemctl'] as const
/** Some 60 bytes a unit: room for thousands. */
const BYTES_MAX = 512 * 1024
/** Bounds what is kept of a host with more units than anybody looks through. */
const UNITS_MAX = 5_000

export type Counts = Readonly<Record<string, number>>

/** What it answers. Throws NotApplicable where there is none, an Error when it fails or says too much. */
export async function systemctl(host: Host, words: readonly string[], signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr, truncated } = await runFirst(host, ['--no-pager', ...words], signal)
  if (truncated) throw new Error(`systemctl ${words[0]} said more than ${BYTES_MAX} bytes`)
  if (code !== 0) throw new Error(`systemctl ${words[0]} failed (${code ?? 'killed'}): ${stderr.trim().slice(0, 200)}`)
  return stdout
}

/** One map for each unit, or the manager, in the order in which they were asked for. */
export function propertyBlocks(said: string): readonly ReadonlyMap<string, string>[] {
  return said
    .split(/\n\n+/)
    .map((block) => block.trim())
    .filter((block) => block !== '')
    .slice(0, UNITS_MAX)
    .map((block) => new Map(block.split('\n').map((line) => pairOf(line))))
}

/** Names of list-units. Throws an Error for what is no such list. */
export function failedUnits(said: string): readonly string[] {
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(0, UNITS_MAX).map((line) => {
    const [unit = '', load, active] = line.trim().split(/\s+/)
    if (load === undefined || active !== 'failed' || !/\.[a-z]+$/.test(unit)) {
      throw new Error(`systemctl lists ${JSON.stringify(line.slice(0, 80))} among the failed units`)
    }
    return unit
  })
}

/** By unit. Before version 235 systemd does not count. Throws an Error for what is no number. */
export function restartCounts(said: string): Counts {
  const counts: Record<string, number> = {}
  for (const block of propertyBlocks(said)) {
    const unit = block.get('Id')
    const count = block.get('NRestarts')
    if (unit === undefined) throw new Error('systemctl shows a unit without its name')
    if (count === undefined) continue
    if (!/^\d+$/.test(count)) throw new Error(`systemctl says that ${unit} restarted ${JSON.stringify(count)} times`)
    counts[unit] = Number(count)
  }
  return counts
}

async function runFirst(host: Host, words: readonly string[], signal: AbortSignal): Promise<CommandResult> {
  let missing: unknown
  for (const program of SYSTEMCTL) {
    signal.throwIfAborted()
    try {
      return await host.run([program, ...words], { signal, bytesMax: BYTES_MAX })
    } catch (error) {
      if (!(error instanceof NotApplicable)) throw error
      missing = error
    }
  }
  throw missing
}

function pairOf(line: string): [string, string] {
  const at = line.indexOf('=')
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
}
