import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { API_ROUTES } from '../../aggregator/http/api-routes.ts'
import { openApiPath } from '../../aggregator/http/openapi.ts'
import type { LatestMeasures } from '../../aggregator/measures/routes.ts'
import { commandOf } from '../../cli/local/earlier-life.ts'
import type { UsageAnswer } from '../../detectors/usage/notes.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { buildPage, withPage } from './browser.ts'
import { HTTP_PORT, KUBELET_PORT, LocalMesh, MESH_PORT, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { isRunning, starling, waitFor } from './starling.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']

const allGone = (pids: readonly number[]) =>
  waitFor(
    'every process of the mesh is gone',
    () => pids.every((pid) => !isRunning(pid)),
    () => `left: ${pids.filter(isRunning).map(commandOf).join('\n')}`,
  )

describe('starling up', () => {
  let mesh: LocalMesh
  beforeAll(async () => {
    buildPage()
    mesh = await LocalMesh.up()
  }, TURN_WITHIN_MS)
  afterAll(() => mesh.stop(), TURN_WITHIN_MS)

  it('runs an agent and a kubelet for each of five nodes, and an aggregator', async () => {
    const pids = mesh.pids()
    expect(Object.keys(pids).toSorted()).toEqual(
      ['aggregator-1', ...NODES.flatMap((node) => [node, `${node} kubelet`])].toSorted(),
    )
    expect(Object.values(pids).filter((pid) => !isRunning(pid))).toEqual([])
    expect(new Set(Object.values(pids)).size).toBe(11)
    for (const node of NODES) await mesh.untilState(node, 'alive')
    const { code, stdout } = await mesh.run('members', '-o', 'json')
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as { items: { node: string }[] }).items.map(({ node }) => node)).toEqual(NODES)
  })

  it('prints the address of the page and nothing else to stdout', async () => {
    expect(mesh.stdout).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${HTTP_PORT}/\\?token=[\\w-]{20,}\\n$`))
    // What to try is said once it can work: observers have a vote only on nodes that they have known for a while.
    await mesh.until('the hint', () => mesh.stderr.includes('chaos kill node-3'))
    expect((await mesh.member('node-3')).coveredBy.length).toBeGreaterThanOrEqual(3)
  })

  it.each(NODES)('serves metrics and health of %s', async (node) => {
    const at = `http://127.0.1.${node.slice(-1)}:${MESH_PORT + 1}`
    const get = async (path: string) => {
      const answer = await fetch(`${at}${path}`)
      return [answer.status, await answer.text()] as const
    }
    expect(await get('/livez')).toEqual([200, 'ok\n'])
    expect(await get('/readyz')).toEqual([200, 'ok\n'])
    const [status, text] = await get('/metrics')
    expect(status).toBe(200)
    expect(text).toMatch(/^starling_mesh_messages_total\{[^}]*direction="sent"[^}]*\} [1-9]/m)
    expect(text).toMatch(/^starling_mesh_messages_total\{[^}]*direction="received"[^}]*\} [1-9]/m)
    expect(text).toMatch(/^starling_mesh_bytes_total\{direction="sent"\} [1-9]/m)
    expect(text).toMatch(/^starling_mesh_probe_rtt_seconds\{of="worst"\} 0?\.?\d/m)
    expect(text).toMatch(/^starling_settings_version_info 1$/m)
    expect(text).toMatch(/^process_cpu_seconds_total [\d.]+$/m)
    expect(text).not.toContain('nodejs_eventloop_lag_p99_seconds')
    expect(text).toMatch(/^starling_finding_severity\{detector="[\w-]+",reason="\w+"\} -?\d/m)
    expect((await get('/nothing'))[0]).toBe(404)
  })

  it('tells what a node used, by its agent alone and over the mesh', async () => {
    const local = await mesh.run('usage', '--local', '--agent', `http://127.0.1.2:${MESH_PORT + 1}`)
    expect([local.code, local.stdout]).toEqual([
      0,
      expect.stringMatching(/^node-2, .*\n\nnode\n {2}memory +[▁▂▃▄▅▆▇█]/),
    ])
    const asked = await mesh.run('usage', 'node-3', '-o', 'json')
    expect(asked.code).toBe(0)
    const [answer] = (JSON.parse(asked.stdout) as { items: UsageAnswer[] }).items
    expect(answer).toMatchObject({ node: 'node-3', step: 1 })
    expect(answer?.subjects[0]).toMatchObject({
      name: 'node',
      figures: { memory: expect.arrayContaining([expect.any(Number)]) },
    })
  })

  it('describes all that its API answers', async () => {
    const headers = { authorization: `Bearer ${mesh.token}` }
    const told = (await (await fetch(`${mesh.url}/api/v1/openapi.json`, { headers })).json()) as {
      readonly paths: Readonly<Record<string, object>>
      readonly 'x-undescribed'?: readonly string[]
    }
    expect(told['x-undescribed'] ?? []).toEqual([])
    const described = new Set(API_ROUTES.map(({ path }) => openApiPath(path)))
    expect(Object.keys(told.paths).toSorted()).toEqual([...described].toSorted())
    const { history } = (await (await fetch(`${mesh.url}/readyz`)).json()) as { readonly history: string }
    expect(history).toBe('ok')
  })

  it('has averages of the measures of every node', async () => {
    const averages = await mesh.until('measures of every node', async () => {
      const { stdout } = await mesh.run('measures', 'node-5', '-o', 'json')
      return (JSON.parse(stdout) as { items: { latest: LatestMeasures | null }[] }).items[0]?.latest?.averages
    })
    const kibi = (name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
    const used = 100 * (1 - kibi('MemAvailable') / kibi('MemTotal'))
    // Of all that uses this machine beside; what it was a minute ago is not what it is now.
    expect(Math.abs((averages.memory ?? Number.NaN) - used)).toBeLessThan(25)
    expect(averages.load).toBeGreaterThan(0)
    expect(await mesh.run('measures', 'node-5')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^memory .* %$/m),
    })
    expect(await mesh.run('measures', 'node-5', '--since', '2y')).toMatchObject({ code: 2 })
  })

  describeReal('with Chromium', needsChromium(), () => {
    it('has a live page that shows the members', async () => {
      await withPage(mesh, async (page) => {
        for (const node of NODES) await page.locator(`[data-testid=member-${node}][data-state=alive]`).waitFor()
        await page.getByTestId('line').getByText('live').waitFor()
        await page.getByTestId('notice').getByText('processes that read this one host').waitFor()
      })
    })
  })

  it('does not run twice in one folder', async () => {
    const { code, stdout, stderr } = await starling(['up', ...mesh.flags()])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `starling: a mesh runs from ${mesh.dir} already, as process ${mesh.pid}\n` +
        '  end it, or give another --dir, --http-port, --mesh-port and --kubelet-port\n',
    )
    expect(mesh.pids()).toMatchObject({ 'node-1': expect.any(Number) })
  })

  it.each([
    { given: {}, taken: `127.0.0.1:${HTTP_PORT}`, user: 'the page', flag: '--http-port' },
    { given: { http: 1 }, taken: `127.0.1.200:${MESH_PORT}`, user: 'the mesh', flag: '--mesh-port' },
    {
      given: { http: 1, mesh: 10 },
      taken: `127.0.1.1:${KUBELET_PORT}`,
      user: 'the stand-in kubelet of node-1',
      flag: '--kubelet-port',
    },
  ])('says that $taken is taken and that $flag changes it', async ({ given, taken, user, flag }) => {
    const dir = newFolder()
    const { http = 0, mesh: shift = 0 } = given as { http?: number; mesh?: number }
    const ports = ['--http-port', HTTP_PORT + http, '--mesh-port', MESH_PORT + shift, '--kubelet-port', KUBELET_PORT]
    try {
      const { code, stdout, stderr } = await starling(['up', '--dir', dir, ...ports.map(String)])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toBe(
        `starling: ${taken} is taken, which ${user} needs (EADDRINUSE)\n  give another port with ${flag}\n`,
      )
      expect(existsSync(join(dir, 'up.json'))).toBe(false)
      expect(existsSync(join(dir, 'node-1'))).toBe(false)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('ends every process on Ctrl-C, even on one that comes twice', async () => {
    const pids = Object.values(mesh.pids())
    mesh.signalGroup('SIGINT')
    // npm passes on what the terminal has sent already.
    mesh.signal('SIGINT')
    expect(await mesh.ended).toEqual({ code: 0, signal: null })
    await allGone(pids)
    expect(existsSync(join(mesh.dir, 'up.json'))).toBe(false)
    expect(await mesh.run('members')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no mesh runs from here'),
    })
  })
})

describe('starling up that is ended in other ways', () => {
  let dir: string
  const meshes: LocalMesh[] = []
  const start = async (options: { nodes: number; byNpm?: boolean }) => {
    const mesh = await LocalMesh.start({ dir, ...options })
    meshes.push(mesh)
    return mesh
  }
  /** All are started, and not all can be up yet. */
  const untilStarted = (mesh: LocalMesh, nodes: number) =>
    mesh.until('up.json with all processes', () => {
      const pids = existsSync(join(mesh.dir, 'up.json')) ? Object.values(mesh.pids()) : []
      return pids.length === 2 * nodes + 1 && pids
    })

  beforeAll(() => {
    dir = newFolder()
  })
  afterEach(async () => {
    for (const mesh of meshes.splice(0)) await mesh.stop()
  }, TURN_WITHIN_MS)
  afterAll(() => rmSync(dir, { recursive: true }))

  it(
    'ends every process when it is ended while starting',
    async () => {
      const mesh = await start({ nodes: 5 })
      const pids = await untilStarted(mesh, 5)
      mesh.signal('SIGINT')
      expect(await mesh.ended).toEqual({ code: 0, signal: null })
      expect(mesh.stdout).toBe('')
      await allGone(pids)
      expect(existsSync(join(dir, 'up.json'))).toBe(false)
    },
    TURN_WITHIN_MS,
  )

  it(
    'leaves nothing running when it is killed while starting',
    async () => {
      const mesh = await start({ nodes: 5 })
      const pids = await untilStarted(mesh, 5)
      mesh.signal('SIGKILL')
      expect(await mesh.ended).toEqual({ code: null, signal: 'SIGKILL' })
      await allGone(pids)
    },
    TURN_WITHIN_MS,
  )

  it(
    'leaves only stopped processes when it is killed, and the next one ends those',
    async () => {
      const killed = await start({ nodes: 2 })
      await killed.untilUp()
      const before = killed.pids()
      expect(await killed.run('chaos', 'hang', 'node-2')).toMatchObject({ code: 0 })
      killed.signal('SIGKILL')
      await killed.ended
      const { 'node-2': hungAgent = 0, 'node-2 kubelet': hungKubelet = 0, ...others } = before
      await allGone(Object.values(others))
      expect([hungAgent, hungKubelet].filter(isRunning).length).toBe(2)
      expect((await killed.run('members')).stderr).toContain('connection refused')

      const next = await start({ nodes: 2 })
      await next.untilUp()
      expect(next.stderr).toContain('ended what a killed mesh had left behind: node-2, node-2 kubelet\n')
      expect([hungAgent, hungKubelet].filter(isRunning)).toEqual([])
      expect(next.pidOf('node-2')).not.toBe(hungAgent)
      await next.untilState('node-2', 'alive')

      const pids = Object.values(next.pids())
      next.signal('SIGHUP')
      expect(await next.ended).toEqual({ code: 0, signal: null })
      await allGone(pids)
    },
    TURN_WITHIN_MS,
  )

  it(
    'runs and ends under npm start',
    async () => {
      const mesh = await start({ nodes: 1, byNpm: true })
      await mesh.untilUp()
      const pids = Object.values(mesh.pids())
      const { members } = await mesh.state()
      expect(members.map(({ node, state }) => [node, state])).toEqual([['node-1', 'alive']])
      mesh.signalGroup('SIGINT')
      await mesh.ended
      await allGone(pids)
      expect(existsSync(join(dir, 'up.json'))).toBe(false)
    },
    TURN_WITHIN_MS,
  )
})
