/** What the bits of /proc/sys/kernel/tainted mean, by the kernel's Documentation/admin-guide/tainted-kernels.rst. */

/** By number of the bit, with a name for each letter of the table there. */
export const TAINTS = [
  'proprietary-module', // P
  'module-force-loaded', // F
  'out-of-spec-system', // S
  'module-force-unloaded', // R
  'machine-check', // M
  'bad-page', // B
  'by-userspace', // U
  'oops', // D
  'acpi-table-overridden', // A
  'warning', // W
  'staging-driver', // C
  'firmware-workaround', // I
  'out-of-tree-module', // O
  'unsigned-module', // E
  'soft-lockup', // L
  'live-patch', // K
  'auxiliary', // X
  'randomised-structures', // T
  'in-kernel-test', // N
  'firmware-changed', // J
] as const

/** A bit that is not known yet has its number for a name. */
export function namesOfTaints(tainted: number): readonly string[] {
  const names: string[] = []
  // Not by shifts, which end at 32 bits.
  for (let bit = 0, rest = tainted; rest >= 1; bit++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) names.push(TAINTS[bit] ?? `bit-${bit}`)
  }
  return names
}
