/** Lets a test outside of a network namespace talk to a port inside: run in there, it listens on a socket file. */
import { connect, createServer } from 'node:net'

const [socketFile = '', port = ''] = process.argv.slice(2)

createServer((outside) => {
  const inside = connect(Number(port), '127.0.0.1')
  outside.pipe(inside).pipe(outside)
  outside.once('error', () => inside.destroy())
  inside.once('error', () => outside.destroy())
}).listen(socketFile)
