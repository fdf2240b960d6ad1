/** What people see of the roster, as model.ts has all else. */

/** How the roster follows the cluster. */
export interface RosterView {
  /** Why it does not at present; null while it does. */
  readonly stalled: string | null
  /** Nodes of the cluster that are no members, and enrolled agents without a Node. */
  readonly uncovered: readonly { readonly node: string; readonly why: string }[]
  /** Changes beyond a brake, which wait for a person. */
  readonly held: readonly {
    readonly kind: 'removals' | 'growth'
    readonly nodes: readonly string[]
    readonly why: string
  }[]
}
