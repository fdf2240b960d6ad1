/** Run as a user without rights: reads `/secret` of the host rooted at the first argument and prints how that fails. */
import { createHost } from '../../detectors/host/host.ts'

const host = createHost({ node: 'node-7', root: process.argv[2] ?? '/', peerOffsets: () => [] })
process.stdout.write(await host.readText('/secret').catch((error: unknown) => String(error)))
