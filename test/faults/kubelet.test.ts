import { afterEach, beforeEach, expect, it } from 'vitest'
import { missingForNodes, programFile } from '../../bench/control-plane/programs.ts'
import { describeReal } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'
import { DEADLINE_MS, untilFound } from './until.ts'

/** Nobody answers there: the kubelet starts without an API server, and asks for it again and again. */
const KUBECONFIG = `
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none`
const OPEN_URL = 'http://127.0.0.1:10255/healthz'
const STANDARD_URL = 'http://127.0.0.1:10248/healthz'

describeReal("the real kubelet's code, with a fake runtime", missingForNodes(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_NETWORK)
    await inside.run('ip', 'link', 'set', 'lo', 'up')
    // The fake runtime's socket is in /tmp.
    for (const folder of ['/tmp', '/var/lib', '/mnt']) {
      await inside.run('mount', '-t', 'tmpfs', '-o', 'size=160m', 'own', folder)
    }
    await inside.run('sh', '-c', `printf '127.0.0.1 localhost node-7\\n' > /mnt/hosts`)
    await inside.run('mount', '--bind', '/mnt/hosts', '/etc/hosts')
    await inside.run('sh', '-c', `cat > /mnt/kubeconfig <<'END'${KUBECONFIG}\nEND`)
    await inside.run('cp', programFile('kubemark'), '/mnt/kubelet')
    await inside.run('mkdir', '/var/lib/kubelet')
  })
  afterEach(() => inside.end())

  const start = async (...wrapper: readonly string[]) => {
    const command = [...wrapper, '/mnt/kubelet --morph=kubelet --name=node-7 --kubeconfig=/mnt/kubeconfig'].join(' ')
    const said = await inside.run(
      'sh',
      '-c',
      `exec 3>&1; sh -c 'echo $$ >&3; exec 3>&-; exec ${command}' >/mnt/log 2>&1 &`,
    )
    return said.trim()
  }

  it(
    'is found refusing, well, hung, going on, and dead',
    async () => {
      const look = (timeout = '10s') =>
        inside.look('kubelet-health', { urls: [OPEN_URL], timeout, slow: timeout === '10s' ? '2s' : '1ms' })
      const id = await start()
      await untilFound(look, [])
      // kubemark leaves out the port of its own for this question.
      expect(found(await inside.look('kubelet-health'))).toEqual([`KubeletUnhealthy ${STANDARD_URL}`])
      await inside.run('kill', '-STOP', id)
      expect(found(await look('300ms'))).toEqual([`KubeletUnhealthy ${OPEN_URL}`])
      expect(found(await inside.look('kubelet-process'))).toEqual(['KubeletDown'])
      await inside.run('kill', '-CONT', id)
      await untilFound(look, [])
      await inside.run('kill', '-KILL', id)
      await untilFound(look, ['not-applicable: the kubelet does not run, which kubelet-process reports'])
    },
    DEADLINE_MS,
  )

  it(
    'tells its version, also where it does not serve it, and that it was replaced',
    async () => {
      const look = (options: object = {}) => inside.look('kubelet-version', options)
      const served = await start()
      const inMetrics = await untilFound(
        () => look({ max: '1.1' }),
        ['KubeletVersionUnwanted'],
        /is v\d+\.\d+\.\d+, wanted/,
      )
      expect(found(await look())).toEqual([])
      await inside.run('kill', '-KILL', served)
      await untilFound(() => look(), ['not-applicable: the kubelet does not run, which kubelet-process reports'])
      await start('unshare', '--net')
      const said = await untilFound(() => look({ max: '1.1' }), ['KubeletVersionUnwanted'])
      expect(said).toEqual(inMetrics)
      await inside.run('cp', '/mnt/kubelet', '/mnt/newer')
      await inside.run('mv', '/mnt/newer', '/mnt/kubelet')
      await untilFound(() => look(), ['KubeletNotRestarted'], /\/mnt\/kubelet was replaced/)
    },
    DEADLINE_MS,
  )
})
