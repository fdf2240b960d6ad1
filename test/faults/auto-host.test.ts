/**
 * A host that is mended by night: its agent and its fixer run as the shipped units on a systemd of their own, find what is
 * wrong, are permitted by the leader, mend it and look again. Nobody is asked.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { describeReal } from '../real-part.ts'
import { BY_ITSELF, MESH, STAGED, StagedMesh, TEST_WITHIN_MS } from './staged-mesh.ts'
import { needsSystemd, type Systemd, withSystemd } from './systemd.ts'

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url))

const SETTINGS = `
version: 1
mesh: ${MESH}
detectors:
  disk-usage: { every: 2s, options: { include: [/var/log] } }
  kubelet-process: { every: 2s }
policies:
  - name: disks
    selector: { all: true }
    match: [{ reason: DiskAlmostFull }]
    mode: auto
    ladder: [{ remediator: disk-clean }]
  - name: kubelets
    selector: { all: true }
    match: [{ reason: KubeletDown }]
    mode: auto
    ladder: [{ remediator: restart-unit }]
`
const AGENT = {
  mesh: { id: MESH, listen: ['tcp/10.77.0.1/7790'] },
  node: { name: STAGED },
  fixer: '/run/starling/fixer.sock',
}
const FIXER = { mesh: MESH, remediators: ['disk-clean', 'restart-unit'] }
/** What stands for it has its name, and its port. */
const KUBELET = `[Unit]
DefaultDependencies=no
[Service]
ExecStart=@/usr/bin/node kubelet /usr/lib/starling/starling.mjs stand-in --host 10.77.0.1 --port 10250
`
/** A disk of its own for logs, in a corner of which nobody looks any more. */
const SMALL_DISK = `set -e
  mknod /dev/loop-control c 10 237
  for i in $(seq 0 15); do mknod /dev/loop$i b 7 $i; done
  truncate -s 24M /tmp/disk && mkfs.ext4 -q /tmp/disk && mount -o loop /tmp/disk /var/log
  echo new > /var/log/syslog
  head -c 9M /dev/zero > /var/log/syslog.1 && touch -d '20 days ago' /var/log/syslog.1`

describeReal('a host whose policies are automatic', needsSystemd(), () => {
  let mesh: StagedMesh
  beforeEach(async () => {
    mesh = await StagedMesh.found({ nodes: 3, settings: SETTINGS })
  }, TEST_WITHIN_MS)
  afterEach(() => mesh.stop())

  it(
    'has its full disk cleaned and its dead kubelet started, and nobody is asked',
    () =>
      withSystemd(
        async (systemd) => {
          const sh = (script: string) => systemd.run('/bin/sh', '-c', script)
          await mesh.start(systemd.network)
          await install(systemd, mesh)
          await sh(SMALL_DISK)
          await systemd.run('systemctl', 'start', 'kubelet', 'starling-agent', 'starling-fixer')
          await mesh.untilAlive()

          await sh('dd if=/dev/zero of=/var/log/data bs=1M status=none 2> /dev/null; true')
          const cleaned = await mesh.untilFixed('DiskAlmostFull')
          expect(cleaned.plan.changes.map(({ what }) => what)).toEqual(['remove the log /var/log/syslog.1'])
          // systemd makes files there as well, where it comes to that after the disk.
          const left = (await sh('ls /var/log')).split('\n')
          expect(left).toEqual(expect.arrayContaining(['data', 'syslog']))
          expect(left).not.toContain('syslog.1')

          const invocation = () => systemd.run('systemctl', 'show', '--property=InvocationID', '--value', 'kubelet')
          const before = await invocation()
          await systemd.run('systemctl', 'kill', '--signal=KILL', 'kubelet')
          const restarted = await mesh.untilFixed('KubeletDown')
          expect(restarted.plan.changes[0]?.what).toMatch(/^kubelet\.service: /)
          expect(await systemd.run('systemctl', 'is-active', 'kubelet')).toBe('active\n')
          expect(await invocation()).not.toBe(before)

          for (const { plan } of [cleaned, restarted]) expect(await mesh.stepsOf(plan)).toEqual(BY_ITSELF)
          const listed = (await mesh.run('remediations', 'list')).stdout
          expect(listed).toMatch(new RegExp(`^${cleaned.plan.id} +${STAGED} +verified +disk-clean `, 'm'))
          expect(listed).toMatch(new RegExp(`^${restarted.plan.id} +${STAGED} +verified +restart-unit `, 'm'))
        },
        [mesh.dir],
      ),
    TEST_WITHIN_MS,
  )
})

/** As deploy/README.md says it, with an identity that the founding of the mesh gave out. */
async function install(systemd: Systemd, mesh: StagedMesh): Promise<void> {
  const { execPath } = process
  await systemd.run(
    '/bin/sh',
    '-c',
    `set -e
    test -e /usr/bin/node || touch /usr/bin/node
    mount --bind "$1" /usr/bin/node
    mkdir -p /usr/lib/starling /etc/starling /var/lib/starling /var/lib/kubelet
    mount --bind "$2" /usr/lib/starling
    cp "$6/starling.sysusers" /usr/lib/sysusers.d/starling.conf && systemd-sysusers
    cp "$3/ca.pem" /etc/starling
    cp "$3/${STAGED}/identity.key" "$3/${STAGED}/cert" "$3/${STAGED}/roster" /var/lib/starling
    printf %s "$4" > /etc/starling/agent.yaml
    printf %s "$5" > /etc/starling/fixer.yaml`,
    'sh',
    execPath,
    mesh.program,
    mesh.dir,
    stringify(AGENT),
    stringify(FIXER),
    DEPLOY,
  )
  for (const unit of ['starling-agent.service', 'starling-fixer.service']) {
    await systemd.unit(
      unit,
      readFileSync(join(DEPLOY, unit), 'utf8')
        .replace('[Unit]', '[Unit]\nDefaultDependencies=no')
        .replace(
          '[Service]',
          `[Service]\nStandardError=append:/run/${unit}.log\nStandardOutput=append:/run/${unit}.log`,
        ),
    )
  }
  await systemd.unit('kubelet.service', KUBELET)
}
