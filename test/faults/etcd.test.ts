import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CertificateAuthority } from '../../bench/control-plane/certificates.ts'
import { missingForApiServer, programFile } from '../../bench/control-plane/programs.ts'
import { describeReal } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'
import { DEADLINE_MS, untilFound } from './until.ts'

const NO_ETCD = 'not-applicable: no etcd runs here, and nothing says that one should'

describeReal('a real etcd', missingForApiServer(), () => {
  let inside: Inside
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'starling-etcd-'))
    inside = await startInside(OWN_NETWORK)
    await inside.run('ip', 'link', 'set', 'lo', 'up')
    await inside.run('mount', '-t', 'tmpfs', '-o', 'size=600m', 'own', '/mnt')
  })
  afterEach(async () => {
    await inside.end()
    await rm(dir, { recursive: true })
  })

  const shell = (script: string) => inside.run('sh', '-c', script)
  const start = async (name: string, flags: readonly string[], before = ':') => {
    const command = [programFile('etcd'), `--name=${name}`, `--data-dir=/mnt/${name}`, ...flags].join(' ')
    return (await shell(`${before}; ${command} >/mnt/${name}.log 2>&1 & echo $!`)).trim()
  }
  const signal = (name: string, ...ids: readonly string[]) => inside.run('kill', `-${name}`, ...ids)
  const status = (options: object = {}) => inside.look('etcd-status', options)
  const health = (options: object = {}) => inside.look('etcd-health', options)

  it(
    'is found hung and dead, where it is meant to be',
    async () => {
      expect(found(await status())).toEqual([NO_ETCD])
      const urls = ['--listen-client-urls=http://127.0.0.1:3379', '--advertise-client-urls=http://127.0.0.1:3379']
      const id = await start('alone', urls)
      await untilFound(status, [])
      await untilFound(health, [])
      expect(found(await inside.look('etcd-connections'))).toEqual([])
      await signal('STOP', id)
      expect(found(await status({ timeout: '300ms' }))).toEqual(['EtcdDown'])
      expect(found(await health({ timeout: '300ms', slow: '100ms' }))).toEqual(['EtcdUnhealthy /health'])
      await signal('CONT', id)
      await untilFound(status, [])
      await signal('KILL', id)
      await untilFound(status, [NO_ETCD])
      const options = { endpoint: 'http://127.0.0.1:3379' }
      expect(found(await status(options))).toEqual(['EtcdDown'])
      expect(found(await health(options))).toEqual(['EtcdUnhealthy /health'])
    },
    DEADLINE_MS,
  )

  it(
    'is found without a leader when two of three members are dead, and with one when they are back',
    async () => {
      const members = [1, 2, 3].map((number) => `m${number}=http://127.0.0.1:1${number}380`).join(',')
      const startMember = (number: number) => {
        const [client, peer] = [`http://127.0.0.1:1${number}379`, `http://127.0.0.1:1${number}380`]
        return start(`m${number}`, [
          ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
          ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=${members}`],
        ])
      }
      const first = { endpoint: 'http://127.0.0.1:11379' }
      await startMember(1)
      const others = [await startMember(2), await startMember(3)]
      await untilFound(() => status(first), [])
      await untilFound(() => health(first), [])
      await signal('KILL', ...others)
      await untilFound(() => status(first), ['EtcdNoLeader'])
      await untilFound(() => health(first), ['EtcdUnhealthy /health'])
      await startMember(2)
      await untilFound(() => status(first), [])
      await untilFound(() => health(first), [])
    },
    DEADLINE_MS,
  )

  it(
    'is found filling, and then read-only, when its database comes to its quota',
    async () => {
      await start('small', ['--quota-backend-bytes=20000000'])
      await untilFound(status, [])
      const value = 'head -c 786432 /dev/zero | base64 -w 0'
      const put = `curl -s http://127.0.0.1:2379/v3/kv/put -d @/mnt/put`
      await shell(`printf '{"key":"%s","value":"%s"}' a2V5 "$(${value} | head -c 1048576)" > /mnt/put`)
      const fill = async () => {
        await shell(put)
        return status()
      }
      await untilFound(fill, ['EtcdQuotaFilling'])
      await untilFound(fill, ['EtcdNoSpace', 'EtcdQuotaFilling', 'EtcdQuotaAlmostFull'])
      expect(found(await health())).toEqual(['EtcdUnhealthy /health'])
    },
    DEADLINE_MS,
  )

  it(
    'is found with ever more clients, at its limit of open files',
    async () => {
      const look = () => inside.look('etcd-connections', { growthFrom: 500 })
      await start('busy', ['--listen-metrics-urls=http://127.0.0.1:2381'], 'ulimit -n 1000')
      await untilFound(look, [])
      const program = `let open = 0; const said = () => { if (++open === 845) console.log('open') }
        for (let i = 0; i < 845; i++) require('net').connect(2379, '127.0.0.1', said)`
      // All between two looks: growth is seen against the last ten of them, and a busy machine takes long to open so many.
      await shell(
        `${process.execPath} -e "${program}" >/mnt/clients 2>&1 & until grep -q open /mnt/clients; do sleep 0.1; done`,
      )
      await untilFound(look, ['EtcdFilesFilling', 'EtcdConnectionsGrowing'])
    },
    DEADLINE_MS,
  )

  it(
    'is asked with the authority of its own command line and a certificate for clients',
    async () => {
      const authority = await CertificateAuthority.create(join(dir, 'pki'))
      const { certFile, keyFile } = await authority.issue({ name: 'etcd', addresses: ['127.0.0.1'] })
      const client = await authority.issue({ name: 'agent' })
      await start('secret', [
        ...['--listen-client-urls=https://127.0.0.1:2379', '--advertise-client-urls=https://127.0.0.1:2379'],
        ...[`--cert-file=${certFile}`, `--key-file=${keyFile}`, `--trusted-ca-file=${authority.certFile}`],
        '--client-cert-auth',
      ])
      const options = { cert: client.certFile, key: client.keyFile }
      await untilFound(() => status(options), [])
      await untilFound(() => health(options), [])
      expect(found(await status())[0]).toMatch(/^failed: .*alert bad certificate/)
    },
    DEADLINE_MS,
  )
})
