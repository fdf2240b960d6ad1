/** Which privileges a real process lacks, as root and as the user that the agent has in a cluster. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CRI_SOCKETS, type Need } from '../../detectors/contract.ts'
import { missingPrivileges } from '../../detectors/host/privileges.ts'
import { describeReal, NOBODY, needsAnotherUser } from '../real-part.ts'

const script = fileURLToPath(new URL('./missing-privileges.ts', import.meta.url))
const CAPABILITIES: readonly Need[] = ['CAP_SYSLOG', 'CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE', 'CAP_NET_ADMIN']

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'starling-privileges-'))
  chmodSync(root, 0o755)
})
afterEach(() => rmSync(root, { recursive: true }))

function put(path: string, mode: number): void {
  mkdirSync(join(root, dirname(path)), { recursive: true, mode: 0o755 })
  writeFileSync(join(root, path), '')
  chmodSync(join(root, path), mode)
}

function asNobody(): readonly Need[] {
  const { stdout } = spawnSync(process.execPath, [script, root], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  return JSON.parse(stdout) as Need[]
}

describeReal('the privileges of an agent without rights', needsAnotherUser(script), () => {
  it('do not include what the host itself does not have: there is nothing to be given', () => {
    expect(asNobody()).toEqual(CAPABILITIES)
  })

  it('lack the devices that are shut to it', () => {
    put('/dev/kmsg', 0o600)
    put('/run/crio/crio.sock', 0o660)
    put('/run/dbus/system_bus_socket', 0o644)
    expect(asNobody()).toEqual([...CAPABILITIES, 'kmsg', 'cri', 'dbus'])
  })

  it('lack the socket of whatever runtime it is', () => {
    for (const socket of Object.values(CRI_SOCKETS)) {
      put(socket, 0o660)
      expect(asNobody()).toEqual([...CAPABILITIES, 'cri'])
      chmodSync(join(root, socket), 0o666)
      expect(asNobody()).toEqual(CAPABILITIES)
      rmSync(join(root, socket))
    }
  })

  it('have the devices that are open to it, of several one', () => {
    put('/dev/kmsg', 0o644)
    put('/run/containerd/containerd.sock', 0o600)
    put('/run/k3s/containerd/containerd.sock', 0o666)
    put('/run/dbus/system_bus_socket', 0o666)
    expect(asNobody()).toEqual(CAPABILITIES)
  })

  it('lack a device in a folder that it may not enter', () => {
    put('/run/crio/crio.sock', 0o666)
    chmodSync(join(root, 'run/crio'), 0o700)
    expect(asNobody()).toEqual([...CAPABILITIES, 'cri'])
  })

  it('are asked of the kernel one by one', () => {
    const dropping = ['--bounding-set=-syslog', '--inh-caps=-syslog', process.execPath, script, root]
    const { stdout } = spawnSync('setpriv', dropping, { encoding: 'utf8' })
    const missing = JSON.parse(stdout) as Need[]
    expect(missing).toContain('CAP_SYSLOG')
    expect(missing).not.toContain('CAP_DAC_READ_SEARCH')
  })
})

it('that are not asked for are not missing', async () => {
  expect(await missingPrivileges(root, [])).toEqual([])
})
