/**
 * A virtual machine for faults that must not touch this one: its clock, its kernel's parameters, its reset. Debian's cloud
 * kernel, emulated, with a root filesystem in memory and nothing to reach but a serial line. It is up in a few seconds.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineFolder } from '../../scripts/setup/machine.mjs'
import type { Missing } from '../real-part.ts'
import { type Inside, insideOf } from './inside.ts'
import { packRoot, READY, type RootOptions } from './vm-root.ts'

/** Node and a detector take 150 MB; the root filesystem is in memory, and its archive while it is unpacked. */
const MEMORY = '768M'

/** A card, and the table of connections, in the order in which they need each other. */
export const NETWORK_MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
  'lib/libcrc32c',
  'net/ipv4/netfilter/nf_defrag_ipv4',
  'net/ipv6/netfilter/nf_defrag_ipv6',
  'net/netfilter/nf_conntrack',
].map((name) => `kernel/${name}.ko`)

export interface VmOptions extends RootOptions {
  /** More words for the kernel's command line, such as `clocksource=hpet`. */
  readonly kernel?: string
  /** More words for the emulator, such as `-device`. */
  readonly devices?: readonly string[]
  /** The words of a command that the emulator is put behind, to run in another network. */
  readonly within?: readonly string[]
}

export interface Vm extends Inside {
  /** Runs a line of its shell and returns what that said. Rejects when it fails. */
  sh(line: string): Promise<string>
  /** What its kernel and its init have said so far. */
  console(): string
}

export function needsVm(): Missing {
  if (process.arch !== 'x64') return 'an x86 machine'
  if (spawnSync('qemu-system-x86_64', ['--version']).status !== 0) return 'qemu-system-x86_64'
  return existsSync(machineFolder()) ? undefined : 'the kernel that the set-up unpacks'
}

/** Runs `use` in a machine of its own, which is gone afterwards. Throws with its console when it ends before that. */
export async function withVm(use: (vm: Vm) => Promise<void>, options: VmOptions = {}): Promise<void> {
  const vm = await startVm(options)
  try {
    await use(vm)
  } catch (error) {
    throw inVm(error, vm.console())
  } finally {
    await vm.end()
  }
}

/** A machine of its own, until its `end`. Throws with its console when it does not start. */
export async function startVm(options: VmOptions = {}): Promise<Vm> {
  const work = mkdtempSync(join(tmpdir(), 'starling-vm-'))
  const log = join(work, 'console')
  const console = () => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  let qemu: ChildProcessWithoutNullStreams | undefined
  const end = async () => {
    if (qemu?.exitCode === null && qemu.signalCode === null) {
      const ended = once(qemu, 'close')
      // There is nothing in it that would have to be put away.
      qemu.kill('SIGKILL')
      await ended
    }
    rmSync(work, { recursive: true, force: true })
  }
  try {
    qemu = boot(await packRoot(work, options), log, options)
    await ready(qemu)
    const inside = insideOf(qemu)
    return { ...inside, sh: (line) => inside.run('/bin/sh', '-c', line), console, end }
  } catch (error) {
    await end()
    throw inVm(error, console())
  }
}

function inVm(error: unknown, said: string): Error {
  return new Error(`in the virtual machine: ${String(error)}\n${said.slice(-2_000)}`, { cause: error })
}

function boot(initrd: string, log: string, options: VmOptions): ChildProcessWithoutNullStreams {
  const folder = join(machineFolder(), 'boot')
  const kernel = readdirSync(folder).find((name) => name.startsWith('vmlinuz-'))
  if (kernel === undefined) throw new Error(`${folder} has no kernel`)
  // Emulated, never KVM: that is not there on every machine, and hangs on some.
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-m', MEMORY, '-nodefaults', '-display', 'none', '-no-reboot']
  const lines = ['-serial', `file:${log}`, '-serial', 'stdio']
  const words = `console=ttyS0 quiet panic=-1 ${options.kernel ?? ''}`
  const [command = '', ...args] = [...(options.within ?? []), 'qemu-system-x86_64', ...machine]
  const files = ['-kernel', join(folder, kernel), '-initrd', initrd, '-append', words]
  return spawn(command, [...args, ...(options.devices ?? []), ...lines, ...files], { stdio: 'pipe' })
}

async function ready(qemu: ChildProcessWithoutNullStreams): Promise<void> {
  let said = ''
  let errors = ''
  qemu.stderr.on('data', (chunk) => {
    errors += chunk
  })
  while (!said.endsWith(`${READY}\n`)) {
    const [chunk] = await Promise.race([once(qemu.stdout, 'data'), once(qemu, 'close').then(() => [])])
    if (chunk === undefined) throw new Error(`it did not start: ${errors}`)
    said += chunk
  }
}
