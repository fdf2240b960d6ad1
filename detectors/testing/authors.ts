/** Of what a plugin's test gets by `import … from 'starling/testing'`, that for detectors. */
export { type Check, type ConformanceOptions, conformance } from './conformance.ts'
export { fixtureHost, type HostRecord } from './fixture-host.ts'
export { look } from './look.ts'
export { momentAt, VirtualClock } from './virtual-clock.ts'
export { type Watch, watch } from './watch.ts'
