/** Secrets and addresses that are, read from where the configuration says each time they are needed. */
import { readFile } from 'node:fs/promises'
import { SinkError } from './sink.ts'

export interface Source {
  /** The thing itself. */
  readonly value?: string | undefined
  readonly file?: string | undefined
  /** Name of a variable of the environment. */
  readonly env?: string | undefined
}

/** Undefined when nothing says where it is. Rejects with SinkError when it cannot be read or is empty. */
export async function readSecret({ value, file, env }: Source): Promise<string | undefined> {
  if (value !== undefined) return value
  if (env !== undefined) {
    const text = process.env[env]?.trim()
    if (text === undefined || text === '') throw new SinkError(`the variable ${env} is not set`)
    return text
  }
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SinkError(`${file} cannot be read (${error.code})`)
  })
  if (text.trim() === '') throw new SinkError(`${file} is empty`)
  return text.trim()
}
