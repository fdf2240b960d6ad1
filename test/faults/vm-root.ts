/** The root filesystem of the virtual machine: busybox, Node, the program that looks, and what a test asks for. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'vite'
import { machineFolder } from '../../scripts/setup/machine.mjs'
import { INSIDE_PROGRAM } from './inside.ts'

export interface RootOptions {
  /** Programs of this machine, or of the unpacked packages, that it has at the same paths, with their libraries. */
  readonly programs?: readonly string[]
  /** Text files by path. */
  readonly files?: Readonly<Record<string, string>>
  /** Folders of this machine, by the path that they have there; without source maps. */
  readonly folders?: Readonly<Record<string, string>>
  /** Lines of its shell that are run before it is ready. */
  readonly boot?: string
  /** Kernel modules that are loaded in this order, such as `kernel/drivers/watchdog/softdog.ko`. */
  readonly modules?: readonly string[]
}

/** Said on the second serial line once it no longer echoes. */
export const READY = 'ready'

const FOLDERS = ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'usr/sbin', 'var/lib', 'var/log']

/** The program that looks talks over the second serial line, and its errors join the kernel's on the first. */
const init = (boot: string) => `#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
ip link set lo up
for module in $(cat /modules); do insmod "/lib/modules/$(basename "$module")"; done
${boot}
# Held open: a line that nobody has open forgets what was said.
exec 3<> /dev/ttyS1
stty raw -echo <&3
echo ${READY} >&3
/usr/bin/node /looks.mjs <&3 >&3
poweroff -f
`

/** An archive of it, as a kernel unpacks it into memory, in the folder `work`. */
export async function packRoot(work: string, options: RootOptions): Promise<string> {
  const root = join(work, 'root')
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true })
  const busybox = join(machineFolder(), 'bin', 'busybox')
  place(root, '/bin/busybox', busybox)
  symlinkSync('busybox', join(root, 'bin', 'sh'))
  place(root, '/usr/bin/node', process.execPath)
  const programs = (options.programs ?? []).map((path) => ({ path, from: fromPackages(path) }))
  for (const { path, from } of programs) place(root, path, from)
  for (const library of librariesOf([process.execPath, ...programs.map(({ from }) => from)])) {
    place(root, library, library)
  }
  const modules = options.modules ?? []
  for (const module of modules)
    place(root, join('/lib/modules', module.slice(module.lastIndexOf('/') + 1)), moduleFile(module))
  const files = {
    '/init': init(options.boot ?? ''),
    '/modules': modules.join('\n'),
    '/looks.mjs': await bundle(),
    // Root, and the users that daemons become.
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n_chrony:x:100:100::/var/lib/chrony:/bin/sh\n',
    '/etc/group': 'root:x:0:\n_chrony:x:100:\n',
    ...options.files,
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const [path, from] of Object.entries(options.folders ?? {})) {
    cpSync(from, join(root, path), { recursive: true, filter: (name) => !name.endsWith('.map') })
  }
  chmodSync(join(root, 'init'), 0o755)
  const archive = join(work, 'root.cpio')
  const names = readdirSync(root, { recursive: true }).join('\n')
  execFileSync(busybox, ['cpio', '-o', '-H', 'newc', '-F', archive], { cwd: root, input: names, stdio: 'pipe' })
  return archive
}

function place(root: string, path: string, from: string): void {
  const to = join(root, path)
  if (existsSync(to)) return
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(realpathSync(from), to)
  chmodSync(to, 0o755)
}

function fromPackages(path: string): string {
  const unpacked = join(machineFolder(), path)
  return existsSync(unpacked) ? unpacked : path
}

/** Their shared libraries, by the paths that the loader finds them at. */
function librariesOf(programs: readonly string[]): readonly string[] {
  const said = execFileSync('ldd', programs, { encoding: 'utf8' })
  return [...new Set([...said.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].flatMap(([, path]) => path ?? []))]
}

function moduleFile(module: string): string {
  const folder = join(machineFolder(), 'lib', 'modules')
  const [version] = readdirSync(folder)
  return join(folder, version ?? '', module)
}

/** In one file, since in a machine that is emulated reading hundreds takes longer than what they do. */
async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: true },
    build: { ssr: INSIDE_PROGRAM, write: false, target: 'node24' },
  })
  const outputs = 'output' in built ? built.output : Array.isArray(built) ? built.flatMap(({ output }) => output) : []
  const code = outputs.flatMap((output) => (output.type === 'chunk' ? [output.code] : []))
  if (code.length !== 1) throw new Error(`the program that looks became ${code.length} files`)
  return code[0] ?? ''
}
