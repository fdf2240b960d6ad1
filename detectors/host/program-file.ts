/**
 * Whether a file can be run. execvp(3), which everything that starts programs uses, hands a file that the kernel does not take to a
 * shell, which then runs what was meant for another machine, or for nobody, as a script.
 */
import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { NotApplicable } from './port.ts'

/** Of elf(5): the first four bytes, then the class of 32 or 64 bits; at 18 for which machine. */
const HEADER_BYTES = 20
const ELF = '\x7fELF'
/** EM_386 and EM_X86_64, EM_ARM and EM_AARCH64: a kernel of 64 bits runs both. On others any is taken. */
const MACHINES: Readonly<Record<string, readonly number[]>> = { x64: [3, 62], arm64: [40, 183] }

/**
 * Throws NotApplicable when there is no such program, and an Error that says why it cannot be run. `located`: where the file is
 * found here.
 */
export async function requireProgram(program: string, located = program): Promise<void> {
  try {
    await access(located, constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new NotApplicable(`${program} does not exist on this host`)
    throw new Error(`${program} cannot be started: ${code}`, { cause: error })
  }
  const header = await headerOf(program, located)
  if (header === undefined || header.toString('latin1', 0, 2) === '#!') return
  if (header.toString('latin1', 0, 4) !== ELF) {
    throw new Error(`${program} is no program: it begins neither with #! nor as a binary`)
  }
  const machines = MACHINES[process.arch]
  const isOurs = header.length === HEADER_BYTES && (machines?.includes(header.readUInt16LE(18)) ?? true)
  if (!isOurs) throw new Error(`${program} is a binary for another machine, or no whole one`)
}

/** Undefined when it may be run but not read. */
async function headerOf(program: string, located: string): Promise<Buffer | undefined> {
  try {
    const file = await open(located, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') return undefined
    throw new Error(`${program} cannot be started: ${code}`, { cause: error })
  }
}
