/** A label as an API server is asked for it. Pure. */
import type { PodLabel } from '../../measures/source.ts'

/** As k8s.io/apimachinery, util/validation has them: 63 characters at most, and of a prefix 253. */
const WORD = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/** `KEY=VALUE`, or `KEY` for any value. Undefined for what no pod can have: a server would refuse it. */
export function selectorOf({ key, value }: PodLabel): string | undefined {
  const cut = key.indexOf('/')
  const isKey = WORD.test(key.slice(cut + 1)) && (cut < 0 || PREFIX.test(key.slice(0, cut)))
  if (!isKey || (value !== undefined && !WORD.test(value))) return undefined
  return value === undefined ? key : `${key}=${value}`
}
