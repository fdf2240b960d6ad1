/**
 * Metrics in the text format of Prometheus (version 0.0.4), as kubelets, etcd and others serve them. One pass over the
 * text, line by line, and only lines whose name is wanted are taken apart: a kubelet with many pods answers with megabytes.
 */

export interface PrometheusSample {
  /** Of the time series: of a histogram also with `_bucket`, `_sum` or `_count` at its end. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** May be NaN or infinite. */
  readonly value: number
  /** In ms since 1970, where the service says when it measured. */
  readonly timestamp?: number
}

/**
 * The samples in `text` that have one of `names`, in their order; without `names` all. Throws an Error that says which line
 * is not of the format, when it comes to it. Nothing of `text` is kept alive by a sample.
 */
export function prometheusSamples(text: string, names?: ReadonlySet<string>): Generator<PrometheusSample> {
  return samplesIn(text, names, { line: 0 })
}

/** Longer lines are passed over in a text that comes in pieces: of cadvisor's, whose labels hold an image, the longest are some KB. */
const LINE_MAX = 64 * 1024

export interface PrometheusReader {
  /** The next piece of the text; it may end anywhere. */
  take(piece: string): void
  /** The text is at its end. Throws an Error that says which line is not of the format. */
  end(): void
}

/** Gives `onSample` the samples that have one of `names` of a text that is never held as a whole, up to the first bad one. */
export function prometheusReader(
  names: ReadonlySet<string>,
  onSample: (sample: PrometheusSample) => void,
): PrometheusReader {
  const at = { line: 0 }
  let rest = ''
  let isTooLong = false
  let failure: unknown
  const read = (lines: string) => {
    if (failure !== undefined) return
    try {
      for (const sample of samplesIn(lines, names, at)) onSample(sample)
    } catch (error) {
      failure = error
    }
  }
  return {
    take: (piece) => {
      const end = piece.lastIndexOf('\n') + 1
      if (end === 0) rest += piece
      else {
        // What is left of a line that was too long ends with the first newline.
        const whole = isTooLong ? piece.slice(piece.indexOf('\n'), end) : rest + piece.slice(0, end)
        isTooLong = false
        read(whole)
        rest = piece.slice(end)
      }
      if (rest.length > LINE_MAX) isTooLong = true
      if (isTooLong) rest = ''
    },
    end: () => {
      read(rest)
      if (failure !== undefined) throw failure
    },
  }
}

/** `at`: the line before `text`. */
function* samplesIn(
  text: string,
  names: ReadonlySet<string> | undefined,
  at: { line: number },
): Generator<PrometheusSample> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    at.line += 1
    const name = text.slice(start, endOfName(text, start, end))
    if (names === undefined ? name !== '' || !isIgnorable(text, start, end) : names.has(name)) {
      yield new Line(text.slice(start, end), at.line).read(name.length)
    }
    start = end + 1
  }
}

/** The value of the first sample of that name, whatever its labels; undefined when there is none. */
export function prometheusValue(samples: Iterable<PrometheusSample>, name: string): number | undefined {
  for (const sample of samples) if (sample.name === name) return sample.value
  return undefined
}

const TAB = 9
const RETURN = 13
const BLANK = 32
const HASH = 35
const BRACE = 123

function endOfName(text: string, start: number, end: number): number {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code === BLANK || code === BRACE || code === HASH || code === TAB || code === RETURN) return at
  }
  return end
}

/** A comment, or blank. */
function isIgnorable(text: string, start: number, end: number): boolean {
  const rest = text.slice(start, end).trim()
  return rest === '' || rest.startsWith('#')
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', '\\': '\\', '"': '"' }

/** One line, and how far it has been read. */
class Line {
  readonly #text: string
  readonly #number: number
  #at = 0

  constructor(text: string, number: number) {
    this.#text = text
    this.#number = number
  }

  read(nameLength: number): PrometheusSample {
    const name = copyOf(this.#text.slice(0, nameLength))
    if (!/^[A-Za-z_:][\w:]*$/.test(name)) this.#fail()
    this.#at = nameLength
    this.#skipBlanks()
    const labels = this.#text[this.#at] === '{' ? this.#labels() : {}
    // What follows a # is an exemplar, of the newer format.
    const words = (this.#text.slice(this.#at).split('#', 1)[0] ?? '').split(/[ \t\r]+/).filter((word) => word !== '')
    const [value = '', timestamp] = words
    if (words.length > 2) this.#fail()
    const read = { name, labels, value: this.#figure(value) }
    return timestamp === undefined ? read : { ...read, timestamp: this.#figure(timestamp) }
  }

  #labels(): Record<string, string> {
    const labels: Record<string, string> = {}
    this.#at += 1
    for (;;) {
      this.#skipBlanks()
      if (this.#text[this.#at] === '}') break
      const equals = this.#text.indexOf('=', this.#at)
      const label = equals === -1 ? '' : this.#text.slice(this.#at, equals).trim()
      if (!/^[A-Za-z_]\w*$/.test(label)) this.#fail()
      this.#at = equals + 1
      labels[copyOf(label)] = this.#quoted()
      this.#skipBlanks()
      if (this.#text[this.#at] === ',') this.#at += 1
      else if (this.#text[this.#at] !== '}') this.#fail()
    }
    this.#at += 1
    return labels
  }

  #quoted(): string {
    this.#skipBlanks()
    if (this.#text[this.#at] !== '"') this.#fail()
    let start = this.#at + 1
    let value = ''
    for (let at = start; at < this.#text.length; at += 1) {
      const character = this.#text[at]
      if (character === '"') {
        this.#at = at + 1
        return copyOf(value + this.#text.slice(start, at))
      }
      if (character !== '\\') continue
      const meant = ESCAPED[this.#text[at + 1] ?? '']
      if (meant === undefined) this.#fail()
      value += this.#text.slice(start, at) + meant
      at += 1
      start = at + 1
    }
    return this.#fail()
  }

  #figure(word: string): number {
    if (/^[+-]?Inf$/i.test(word)) return word.startsWith('-') ? -Infinity : Infinity
    if (/^NaN$/i.test(word)) return Number.NaN
    if (!/^[+-]?(\d|\.\d)/.test(word)) this.#fail()
    const value = Number(word)
    return Number.isNaN(value) ? this.#fail() : value
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1
  }

  #fail(): never {
    throw new Error(`line ${this.#number} is no metric: ${JSON.stringify(this.#text.slice(0, 80))}`)
  }
}

/** V8 makes a slice of 13 characters or more a view of the whole, which would keep megabytes alive for a name. */
function copyOf(slice: string): string {
  return slice.length < 13 ? slice : Buffer.from(slice, 'utf16le').toString('utf16le')
}
