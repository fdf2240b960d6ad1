/** What a plugin's test gets by `import … from 'starling/testing'`. */
export * from '../detectors/testing/authors.ts'
export { type Case as RemediatorCase, remediatorConformance } from '../remediators/testing/conformance.ts'
export { type ScratchHost, type StandIn, scratchHost } from '../remediators/testing/scratch-host.ts'
