/** Whether this node is the odd one of its pool, in words. */
import type { Majority, Measure } from '../contract.ts'

export interface Oddity {
  readonly summary: string
  readonly evidence: readonly Measure[]
}

/** Undefined when `value` is what nearly all nodes of the pool have, or while there is no such majority. */
export function oddity(what: string, value: string, majority: Majority | undefined): Oddity | undefined {
  if (majority === undefined || majority.value === value) return undefined
  const { pool, nodes, of } = majority
  return {
    summary: `${what} is ${value}, ${Math.floor((100 * nodes) / of)} % of ${of} nodes of pool ${pool} have ${majority.value}`,
    evidence: [
      { name: what, value, limit: majority.value, unit: '' },
      { name: 'nodes that have that', value: nodes, unit: 'nodes' },
    ],
  }
}
