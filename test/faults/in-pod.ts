/** Run in what stands in for a pod: runs a program of the host whose root is the first argument, and prints what came of it. */
import { createHost } from '../../detectors/host/host.ts'
import type { Command, RunLimits } from '../../detectors/host/port.ts'

const [root = '/', withinMs = '', limits = '', ...command] = process.argv.slice(2)
const host = createHost({ node: 'node-1', root, peerOffsets: () => [] })
const options = {
  signal: AbortSignal.timeout(Number(withinMs)),
  ...(limits === '' ? {} : { limits: JSON.parse(limits) as RunLimits }),
}
const said = await host.run(command as unknown as Command, options).then(
  ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  ({ name, message }: Error) => ({ name, message }),
)
process.stdout.write(JSON.stringify(said))
process.exit()
