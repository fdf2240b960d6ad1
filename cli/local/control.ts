/**
 * How `starling chaos` reaches the `starling up` that owns the processes: HTTP over a socket in the mesh's folder, which
 * only its owner can open.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, StarlingError } from '../../common/errors.ts'
import { createServer, request } from '../../common/node-http.ts'

export function controlSocketOf(dir: string): string {
  return join(dir, 'control.sock')
}

/** Answers `POST /ACTION/NODE` with what was done. Returns how to stop. */
export async function serveControl(
  dir: string,
  act: (action: string, node: string) => Promise<string>,
): Promise<() => void> {
  const socket = controlSocketOf(dir)
  rmSync(socket, { force: true })
  const server = createServer((incoming, response) => {
    const [, action = '', node = ''] = (incoming.url ?? '').split('/').map(decodeURIComponent)
    act(action, node).then(
      (done) => response.end(done),
      (error: unknown) => response.writeHead(400).end(messageOf(error)),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      // Mostly a path of more than a hundred characters, which is all that the kernel keeps of a socket's.
      const remedy = 'give a --dir with a shorter path'
      reject(new StarlingError(`cannot listen on ${socket}: ${cause.message}`, { remedy, cause }))
    })
    server.listen(socket, resolve)
  })
  return () => {
    server.close()
    rmSync(socket, { force: true })
  }
}

/** Throws StarlingError when no mesh runs from `dir`, or it refuses. */
export function askControl(dir: string, action: string, node: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: controlSocketOf(dir),
        method: 'POST',
        path: `/${[action, node].map(encodeURIComponent).join('/')}`,
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8')
          if (response.statusCode === 200) resolve(text)
          else reject(new StarlingError(text))
        })
      },
    )
    call.once('error', (cause) => {
      reject(
        new StarlingError(`no mesh runs from ${dir}`, { remedy: 'start one with npm start, or give its --dir', cause }),
      )
    })
    call.end()
  })
}
