/** Where a process listens, as configuration files write it: `tcp/PORT` on all addresses, `tcp/ADDRESS/PORT` on one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `text` must satisfy the schema of `mesh.listen`. */
export function parseListen(text: string): ListenAddress {
  const parts = text.split('/').slice(1)
  const port = Number(parts.at(-1))
  return { host: parts.length > 1 ? (parts[0] ?? '') : '0.0.0.0', port }
}
