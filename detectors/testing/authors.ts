/** What a plugin's test gets by `import … from 'starling/testing'`. */
export { fixtureHost, type HostRecord } from './fixture-host.ts'
