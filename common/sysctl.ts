/** Kernel parameters by the names that sysctl(8) knows them under. */

/** Segments of a key: letters, digits, dash, underscore, and `@`, `:` as in interface names; never empty, never `..`. */
const KEY = /^[\w@:-]+(?:[./][\w@:-]+)*$/
/** The kernel's own keys stay far below; it bounds what a plan or a message can carry. */
const KEY_LENGTH_MAX = 200

export function isSysctlKey(key: string): boolean {
  return key.length <= KEY_LENGTH_MAX && KEY.test(key)
}

/**
 * The file behind a key. As in sysctl.d(5) a slash in a key stands for a dot in the path, since interface names may hold
 * dots: `net.ipv4.conf.eth0/100.rp_filter` is /proc/sys/net/ipv4/conf/eth0.100/rp_filter. Throws RangeError when `key`
 * is no key, so that nothing outside /proc/sys can be named.
 */
export function sysctlPath(key: string): string {
  if (!isSysctlKey(key)) throw new RangeError(`"${key}" is not the name of a kernel parameter`)
  return `/proc/sys/${key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))}`
}

/** The kernel separates the fields of one value by tabs and people by spaces; both read the same here. */
export function normaliseSysctl(value: string): string {
  return value.trim().replace(/\s+/g, ' ')
}
