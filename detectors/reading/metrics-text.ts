/** Prometheus' text format, line by line as it comes: an answer of many megabytes is never held as a whole. */

/** Lines that are longer are passed over: of cadvisor's, whose labels hold an image and a cgroup, the longest are some KB. */
const LINE_MAX = 64 * 1024

export interface MetricLine {
  readonly name: string
  /** As written between the braces. */
  readonly labels: string
  readonly value: number
  /** When it was measured, in ms since 1970; undefined where the server leaves it to who asks. */
  readonly atMs: number | undefined
}

/** Gives `onLine` each whole line of the pieces that `take` is given; `end` gives the last, if it lacks its end. */
export function lineTaker(onLine: (line: string) => void): { take(piece: string): void; end(): void } {
  let rest = ''
  let isTooLong = false
  const give = (line: string) => {
    if (!isTooLong && line !== '') onLine(line)
    isTooLong = false
  }
  return {
    take: (piece) => {
      const lines = piece.split('\n')
      for (const line of lines.slice(0, -1)) {
        give(rest + line)
        rest = ''
      }
      rest += lines.at(-1) ?? ''
      if (rest.length > LINE_MAX) isTooLong = true
      if (isTooLong) rest = ''
    },
    end: () => give(rest),
  }
}

/** Undefined for a comment, and for what is no sample. */
export function parseMetricLine(line: string): MetricLine | undefined {
  // From the end, since a label's value may hold a brace.
  const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/.exec(line)
  if (found === null) return undefined
  const [, name = '', labels = '', figure = '', at] = found
  const value = Number(figure.replace('Inf', 'Infinity'))
  return { name, labels, value, atMs: at === undefined ? undefined : Number(at) }
}

/** The value of a label, or undefined. Its escapes are left as they are: names of cgroups and pods have none. */
export function labelOf(labels: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1]
}
