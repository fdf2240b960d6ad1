/** Names of node-problem-detector's configuration as ours are written. */
import type { Duration } from '../../../common/duration.ts'

/** `NTPIsDown` to `ntp-is-down`, `abrt_adaptor` to `abrt-adaptor`. Empty when nothing of it can stand in a name. */
export function kebab(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 60)
    .replace(/-+$/, '')
}

/** A reason as it is, but for characters that ours do not have. */
export function reasonName(text: string): string {
  const letters = text.replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')
  const trimmed = letters.replace(/^\d+/, '')
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1, 60)}` || 'Problem'
}

/** `wanted`, or with the first number behind it that makes it another than those of `taken`. */
export function distinct(wanted: string, taken: ReadonlySet<string>, joint = ''): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}${joint}${number}`
    if (!taken.has(name)) return name
  }
}

/** Whole seconds where it is some, else ms. */
export function inWords(ms: number): Duration {
  const whole = Math.max(1, Math.round(ms))
  return whole % 1_000 === 0 ? `${whole / 1_000}s` : `${whole}ms`
}
