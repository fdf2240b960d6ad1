import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CertificateAuthority, writeTokenKey } from '../../bench/control-plane/certificates.ts'
import { writeKubeconfig } from '../../bench/control-plane/kubeconfig.ts'
import { missingForNodes, programFile } from '../../bench/control-plane/programs.ts'
import { describeReal } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'
import { DEADLINE_MS, untilFound } from './until.ts'

const SERVER = 'https://127.0.0.1:6443'
const DOWN = 'ControlPlaneServiceDown'
/** Fails until the server tells strangers how it is: it must have made the role that lets them ask, which takes a while. */
const LIVEZ = `require('node:https')
  .get('${SERVER}/livez', { rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on('error', () => process.exit(1))`

describeReal('a real control plane', missingForNodes(), () => {
  let inside: Inside
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'starling-services-'))
    inside = await startInside(OWN_NETWORK)
    await inside.run('ip', 'link', 'set', 'lo', 'up')
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=300m', 'own', '/mnt')
  })
  afterEach(async () => {
    await inside.end()
    await rm(dir, { recursive: true })
  })

  const start = async (...command: readonly string[]) =>
    (await inside.run('sh', '-c', `${command.join(' ')} >/mnt/log 2>&1 & echo $!`)).trim()
  const signal = (name: string, id: string) => inside.run('kill', `-${name}`, id)

  it(
    'is found without the parts that are dead, hung, or cut off from etcd',
    async () => {
      const authority = await CertificateAuthority.create(join(dir, 'pki'))
      const server = await authority.issue({ name: 'kube-apiserver', addresses: ['127.0.0.1'] })
      const manager = await authority.issue({ name: 'kube-controller-manager', organisation: 'system:masters' })
      const tokenKey = writeTokenKey(authority.dir)
      const look = () => inside.look('control-plane-services', { manifests: '/mnt/manifests', timeout: '2s' })
      expect(found(await look())).toEqual(['not-applicable: /mnt/manifests does not exist on this host'])
      await inside.run('mkdir', '/mnt/manifests')
      for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager']) {
        await inside.run('touch', `/mnt/manifests/${name}.yaml`)
      }
      expect(found(await look())).toEqual([`${DOWN} kube-apiserver`, `${DOWN} kube-controller-manager`, `${DOWN} etcd`])

      const startEtcd = () => start(programFile('etcd'), '--data-dir=/mnt/etcd')
      const etcd = await startEtcd()
      const apiServer = await start(
        programFile('kube-apiserver'),
        ...['--etcd-servers=http://127.0.0.1:2379', '--service-cluster-ip-range=10.0.0.0/24', '--secure-port=6443'],
        ...['--advertise-address=127.0.0.1', `--client-ca-file=${authority.certFile}`],
        ...[`--tls-cert-file=${server.certFile}`, `--tls-private-key-file=${server.keyFile}`],
        ...[`--service-account-key-file=${tokenKey}`, `--service-account-signing-key-file=${tokenKey}`],
        ...[`--service-account-issuer=${SERVER}`, '--authorization-mode=RBAC'],
      )
      await untilFound(look, [`${DOWN} kube-controller-manager`])
      const config = writeKubeconfig(join(dir, 'manager.kubeconfig'), SERVER, authority.certFile, manager)
      await start(
        programFile('kube-controller-manager'),
        `--kubeconfig=${config}`,
        '--leader-elect=false',
        '--cert-dir=/mnt',
      )
      await untilFound(look, [])

      await signal('STOP', apiServer)
      await untilFound(look, [`${DOWN} kube-apiserver`], /takes the question and does not answer/)
      await signal('CONT', apiServer)
      await untilFound(look, [])
      await vi.waitFor(() => inside.run(process.execPath, '-e', LIVEZ), { timeout: DEADLINE_MS, interval: 500 })
      await signal('KILL', etcd)
      // The API server waits 2 s for etcd before it says so. What becomes of the controller manager then is its own affair.
      const components = ['kube-apiserver', 'etcd']
      const both = () => inside.look('control-plane-services', { components })
      await untilFound(both, ['ControlPlaneServiceUnhealthy kube-apiserver', `${DOWN} etcd`], /failed: etcd|none of/)
      await startEtcd()
      await untilFound(both, [])
    },
    DEADLINE_MS,
  )
})
