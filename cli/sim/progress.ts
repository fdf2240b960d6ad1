/** How far a long computation is: a bar on stderr where that is a terminal, nothing elsewhere. */
import { clearLine, cursorTo } from 'node:readline'

const CELLS = 30
/** More often nobody can read it. */
const EVERY_MS = 200

export interface Progress {
  /** `share` from 0 to 1. */
  show(share: number): void
  /** Takes the bar away. */
  end(): void
}

export function progressOn(stream: NodeJS.WriteStream, label: string): Progress {
  if (!stream.isTTY) return { show: () => {}, end: () => {} }
  let shownAt = Number.NEGATIVE_INFINITY
  const wipe = () => {
    cursorTo(stream, 0)
    clearLine(stream, 0)
  }
  return {
    show: (share) => {
      if (performance.now() - shownAt < EVERY_MS) return
      shownAt = performance.now()
      wipe()
      const full = Math.round(share * CELLS)
      stream.write(`${label} ${'█'.repeat(full)}${'░'.repeat(CELLS - full)} ${Math.floor(share * 100)} %`)
    },
    end: wipe,
  }
}
