/** Makes a network and goes on for ever, for a test to end it. What runs in there is stopped. */
import { spawn } from 'node:child_process'
import { Network } from '../../bench/namespaces/network.ts'

const network = new Network([
  { name: 'left', address: '10.77.0.1' },
  { name: 'right', address: '10.77.0.2' },
])
const [program = '', ...args] = [...network.on('left'), 'sh', '-c', 'echo inside; exec sleep 1000']
const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
child.stdout.once('data', () => {
  child.kill('SIGSTOP')
  process.stdout.write(`${child.pid}\n`)
})
