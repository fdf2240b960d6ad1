/** What a plugin gets by `import … from 'starling/detector'`: the contract, and zod for its options, so it needs no packages. */
export { z } from 'zod'
export * from './contract.ts'
