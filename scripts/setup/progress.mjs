/** One line per piece of work on stderr: redrawn with the seconds passed on a terminal, plain lines elsewhere. */
import { clearLine, cursorTo } from 'node:readline'

const REDRAW_MS = 500
const BAR_WIDTH = 20

/**
 * Runs `work` under a progress line. `fraction`, where the work can tell, says how far it is, 0 to 1.
 * What `work` throws is passed on after the line was ended.
 */
export async function withProgress(title, work, fraction) {
  const startedAt = performance.now()
  const elapsed = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  const live = process.stderr.isTTY === true
  const draw = () => redraw(`${title} ${fraction === undefined ? '' : `${bar(fraction())} `}${elapsed()}`)
  if (!live) say(`${title} ...`)
  const timer = live ? setInterval(draw, REDRAW_MS) : undefined
  try {
    const result = await work()
    if (live) redraw('')
    say(`${title}: done in ${elapsed()}`)
    return result
  } catch (error) {
    if (live) redraw('')
    say(`${title}: failed after ${elapsed()}`)
    throw error
  } finally {
    clearInterval(timer)
  }
}

export function say(line) {
  process.stderr.write(`set-up: ${line}\n`)
}

function redraw(text) {
  clearLine(process.stderr, 0)
  cursorTo(process.stderr, 0)
  if (text !== '') process.stderr.write(`set-up: ${text}`)
}

function bar(fraction) {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH)
  return `[${'='.repeat(filled)}${' '.repeat(BAR_WIDTH - filled)}]`
}
