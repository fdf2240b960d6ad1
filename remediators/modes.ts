/**
 * How far a rule goes by itself. `observe`: what it would do is recorded. `suggest`: a plan is shown and cannot be approved.
 * `approve`: it waits for a person. `auto`: it waits for nobody but the guards.
 */
export const MODES = ['observe', 'suggest', 'approve', 'auto'] as const
export type Mode = (typeof MODES)[number]
