/** How the kernel's work for the network is spread over the CPUs: /proc/interrupts and /proc/net/softnet_stat. */

export interface InterruptLine {
  /** Its number, or a word such as NMI. */
  readonly irq: string
  /** By CPU, of those that are online. */
  readonly counts: readonly number[]
  /** The kind of interrupt, and the names that drivers gave it. */
  readonly about: string
}

/** Throws an Error when the table has no header of CPUs. Lines that are shorter than it, as ERR, are passed over. */
export function parseInterrupts(text: string): readonly InterruptLine[] {
  const [header = '', ...lines] = text.split('\n')
  const cpus = header.trim().split(/\s+/)
  if (!cpus.every((name) => /^CPU\d+$/.test(name))) throw new Error('/proc/interrupts has no header of CPUs')
  return lines.flatMap((line) => {
    const [irq = '', ...words] = line.trim().split(/\s+/)
    const counts = words.slice(0, cpus.length).map(Number)
    if (!irq.endsWith(':') || counts.length < cpus.length || !counts.every(Number.isSafeInteger)) return []
    return { irq: irq.slice(0, -1), counts, about: words.slice(cpus.length).join(' ') }
  })
}

/** Of one CPU, since boot. */
export interface Softnet {
  /** Packets for which its queue had no room: net.core.netdev_max_backlog. */
  readonly dropped: number
  /** Times that it had to stop with packets left: net.core.netdev_budget, netdev_budget_usecs. */
  readonly squeezed: number
}

/** A line of hexadecimal numbers for each CPU (softnet_seq_show in the kernel's net/core/net-procfs.c). */
export function parseSoftnet(text: string): readonly Softnet[] {
  const cpus = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).slice(0, 3))
  if (!cpus.every((words) => words.length === 3 && words.every((word) => /^[0-9a-f]{8,16}$/.test(word)))) {
    throw new Error('/proc/net/softnet_stat is not of its form')
  }
  return cpus.map(([, dropped = '', squeezed = '']) => ({
    dropped: Number.parseInt(dropped, 16),
    squeezed: Number.parseInt(squeezed, 16),
  }))
}
