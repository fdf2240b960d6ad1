import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'
import { DEADLINE_MS, untilFound } from './until.ts'

const missing =
  needsLinux() ?? needsRoot() ?? (spawnSync('containerd', ['--version']).status === 0 ? undefined : 'containerd')
const SOCKET = '/run/containerd/containerd.sock'
const NETWORK = JSON.stringify({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [{ type: 'bridge', ipam: { type: 'host-local', subnet: '10.88.0.0/24' } }],
})

describeReal('a real containerd with folders of its own', missing, () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_NETWORK)
    for (const folder of ['/run', '/var/lib', '/etc/cni', '/opt']) {
      await inside.run('mkdir', '-p', folder)
      await inside.run('mount', '-t', 'tmpfs', '-o', 'size=64m', 'own', folder)
    }
    await inside.run('mkdir', '-p', '/etc/cni/net.d', '/var/lib/kubelet')
  })
  afterEach(() => inside.end())

  const start = async () => {
    const said = await inside.run('sh', '-c', 'containerd >/var/lib/containerd.log 2>&1 & echo $!')
    return said.trim()
  }
  const networkThere = () => inside.run('sh', '-c', `echo '${NETWORK}' > /etc/cni/net.d/10-pods.conflist`)
  const look = () => inside.look('runtime-health')

  it(
    'is well, then without a network, hung, going on, killed, and back',
    async () => {
      expect(found(await look())).toEqual([
        'not-applicable: this host has no container runtime at any of the usual places',
      ])
      await networkThere()
      const first = await start()
      await untilFound(look, [])
      await inside.run('rm', '/etc/cni/net.d/10-pods.conflist')
      const [finding] = await untilFound(look, [`CniUnhealthy ${SOCKET}`])
      expect(finding?.summary).toContain('NetworkPluginNotReady')
      expect(finding?.summary).toContain('containerd 1.')
      await networkThere()
      await untilFound(look, [])
      await inside.run('kill', '-STOP', first)
      expect(found(await inside.look('runtime-health', { timeout: '500ms' }))).toEqual([`RuntimeDown ${SOCKET}`])
      await inside.run('kill', '-CONT', first)
      await untilFound(look, [])
      await inside.run('kill', '-KILL', first)
      await untilFound(look, [`RuntimeDown ${SOCKET}`])
      await inside.run('rm', SOCKET)
      await untilFound(look, [`RuntimeDown ${SOCKET}`])
      await start()
      await untilFound(look, [])
    },
    DEADLINE_MS,
  )

  it(
    'is down for Kubernetes when it serves no CRI',
    async () => {
      await inside.run('mkdir', '-p', '/etc/containerd')
      await inside.run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'own', '/etc/containerd')
      await inside.run(
        'sh',
        '-c',
        'printf \'version = 2\\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\\n\' > /etc/containerd/config.toml',
      )
      await start()
      const judgements = await untilFound(look, [`RuntimeDown ${SOCKET}`], /serves 0 versions of CRI/)
      expect(judgements).toHaveLength(1)
      await inside.run('rmdir', '/var/lib/kubelet')
      expect(found(await look())).toEqual(['not-applicable: no container runtime that serves Kubernetes is here'])
    },
    DEADLINE_MS,
  )
})
