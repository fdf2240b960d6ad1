/** What a plugin gets by `import … from 'starling/remediator'`: the contract, what carries out changes, and zod for its options. */
export { z } from 'zod'
export type { Finding, Measure } from '../detectors/contract.ts'
export * from './changes.ts'
export * from './contract.ts'
