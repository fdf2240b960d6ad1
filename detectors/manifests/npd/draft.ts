/** What becomes of one configuration, before it is written down. */

export interface Draft {
  readonly manifests: readonly { readonly name: string; readonly [key: string]: unknown }[]
  readonly notes: readonly string[]
  readonly leftOut: readonly string[]
}

export interface ImportOptions {
  /** Where the program was started, which the paths of its rules are relative to. */
  readonly folder: string
}
