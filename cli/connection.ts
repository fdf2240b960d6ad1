/** Which aggregator a command talks to: flags, else the environment, else the mesh that runs from this directory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import { messageOf, StarlingError, UsageError } from '../common/errors.ts'

export interface Connection {
  readonly url: string
  readonly token: string
}

export interface ConnectionFlags {
  readonly url?: string
  readonly token?: string
  readonly dir?: string
}

const DEFAULT_DIR = '.starling'
/** Written by `starling up` into its directory while it runs. */
export const STATE_FILE = 'up.json'

const LocalMesh = z.object({ url: z.url({ protocol: /^https?$/ }), token: z.string().min(1) })

/** Adds `--url`, `--token` and `--dir` to a command that talks to an aggregator. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the aggregator, as http://127.0.0.1:7780 (env: STARLING_URL)')
    .option('--token <token>', 'your token, or that of the aggregator (env: STARLING_TOKEN)')
    .option('--dir <directory>', 'directory of a mesh started by `starling up`, for its address and token', DEFAULT_DIR)
}

/** Throws UsageError when nothing says which aggregator, or with which token. */
export function resolveConnection(flags: ConnectionFlags, env: NodeJS.ProcessEnv = process.env): Connection {
  const url = flags.url ?? env.STARLING_URL
  const token = flags.token ?? env.STARLING_TOKEN
  if (url === undefined) {
    const local = readLocalMesh(flags.dir ?? DEFAULT_DIR)
    return { url: local.url, token: token ?? local.token }
  }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(`"${url}" is not an address`, 'write it as http://127.0.0.1:7780')
  }
  // The local mesh's token is not sent to an address that somebody else may be behind.
  if (token === undefined) throw new UsageError(`no token for ${url}`, 'give --token, or set STARLING_TOKEN')
  return { url: url.replace(/\/+$/, ''), token }
}

/** Address and token of the mesh that was started in `dir`. Throws StarlingError when there is none. */
export function readLocalMesh(dir: string): Connection {
  const file = join(dir, STATE_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new StarlingError(`cannot read ${file}: ${messageOf(error)}`, { cause: error })
    }
    throw new UsageError(
      `no mesh runs from here: there is no ${file}`,
      'start one with `npm start`, or say which by --dir, or by --url and --token',
    )
  }
  try {
    const { url, token } = LocalMesh.parse(JSON.parse(text))
    return { url: url.replace(/\/+$/, ''), token }
  } catch (error) {
    throw new StarlingError(`${file} is not what \`starling up\` writes`, {
      remedy: 'stop the mesh and start it again, or give --url and --token',
      cause: error,
    })
  }
}
