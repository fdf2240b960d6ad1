/** The token of API and page: made once, kept in a file of its owner's. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf, StarlingError } from '../common/errors.ts'

const TOKEN_BYTES = 24

/** Throws StarlingError when the file cannot be read or made. */
export function readOrMakeToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(file, error)
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
    return token
  } catch (error) {
    throw unusable(file, error)
  }
}

function unusable(file: string, cause: unknown): StarlingError {
  return new StarlingError(`the token in ${file} cannot be used: ${messageOf(cause)}`, {
    remedy: 'set tokenFile to a file that this process can read and write',
    cause,
  })
}
