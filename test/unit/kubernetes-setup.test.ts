/** When the set-up builds Kubernetes, and what it says where it cannot. The build itself is a stand-in here. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cadvisorFile, KUBERNETES_VERSION, kubernetesFolder } from '../../scripts/setup/kubernetes-cache.mjs'
import { describeReal, needsLinux } from '../real-part.ts'

const SETUP = new URL('../../scripts/setup/kubernetes.mjs', import.meta.url).href
const BUILD = fileURLToPath(new URL('../../scripts/setup/kubernetes-build.mjs', import.meta.url))

/** Like the real one it looks again for the folder once it has the lock, and takes its time. */
const STAND_IN = `
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
const [, , folder] = process.argv
if (!existsSync(folder)) {
  appendFileSync(process.env.BUILDS, 'built ')
  setTimeout(() => mkdirSync(folder), 300)
}`

interface SetUp {
  readonly code: number | null
  /** Whether it says that it had something to do. */
  readonly worked: boolean
  readonly told: string
}

describeReal('Kubernetes in the set-up', needsLinux(), () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'starling-kubernetes-'))
    writeFileSync(join(root, 'build.mjs'), STAND_IN)
    writeFileSync(join(root, 'debian-12'), 'ID=debian\nVERSION_CODENAME=bookworm\n')
    writeFileSync(join(root, 'fedora'), 'ID=fedora\n')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const setUp = async (release: string, extra: NodeJS.ProcessEnv = {}, what = 'ensureKubernetes'): Promise<SetUp> => {
    const args = JSON.stringify([join(root, 'build.mjs'), join(root, release)]).slice(1, -1)
    const script = `import(${JSON.stringify(SETUP)}).then(async ({ ${what} }) =>
      console.log(await ${what}(${args})))`
    const { CI: _, KUBEBUILDER_ASSETS: __, CADVISOR: ___, ...inherited } = process.env
    const env = { ...inherited, XDG_CACHE_HOME: join(root, 'cache'), BUILDS: join(root, 'builds'), ...extra }
    const child = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, told, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    return { code, worked: stdout === 'true\n', told }
  }

  test('is built once, however many set-ups run at a time, outside the checkout', async () => {
    const both = await Promise.all([setUp('debian-12'), setUp('debian-12')])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(readFileSync(join(root, 'builds'), 'utf8')).toBe('built ')
    expect(both.map(({ told }) => told).join('')).toContain('another set-up is building')
    expect(existsSync(kubernetesFolder({ XDG_CACHE_HOME: join(root, 'cache') }))).toBe(true)
    expect(await setUp('debian-12')).toEqual({ code: 0, worked: false, told: '' })
  })

  test('is not built where somebody gives a folder of their own', async () => {
    const env = { KUBEBUILDER_ASSETS: join(root, 'own') }
    expect(await setUp('debian-12', env)).toEqual({ code: 0, worked: false, told: '' })
    expect(kubernetesFolder(env)).toBe(env.KUBEBUILDER_ASSETS)
    const cached = kubernetesFolder({ XDG_CACHE_HOME: root })
    expect(cached.startsWith(join(root, 'starling', `kubernetes-${KUBERNETES_VERSION}-`))).toBe(true)
  })

  test('is done without elsewhere and when the build fails, with a word about it; in CI both are errors', async () => {
    const elsewhere = await setUp('fedora')
    expect(elsewhere).toMatchObject({ code: 0, worked: true })
    expect(elsewhere.told).toMatch(/Debian 12.*skipped by name\n.*KUBEBUILDER_ASSETS/)
    expect((await setUp('fedora', { CI: 'true' })).code).not.toBe(0)

    writeFileSync(join(root, 'build.mjs'), 'process.exitCode = 3')
    const failed = await setUp('debian-12')
    expect(failed).toMatchObject({ code: 0, worked: true })
    expect(failed.told).toMatch(/could not be built \(exit code 3\).*skipped by name/)
    expect((await setUp('debian-12', { CI: 'true' })).code).not.toBe(0)
  })

  test('comes with a cadvisor in a folder of its own, unless somebody gives theirs', async () => {
    const cache = { XDG_CACHE_HOME: join(root, 'cache') }
    expect(await setUp('debian-12', { CADVISOR: '/opt/cadvisor' }, 'ensureCadvisor')).toMatchObject({ worked: false })
    expect(cadvisorFile({ CADVISOR: '/opt/cadvisor' })).toBe('/opt/cadvisor')
    expect(await setUp('debian-12', {}, 'ensureCadvisor')).toMatchObject({ code: 0, worked: true })
    expect(existsSync(dirname(cadvisorFile(cache)))).toBe(true)
    expect(existsSync(kubernetesFolder(cache))).toBe(false)
    expect((await setUp('fedora', { XDG_CACHE_HOME: join(root, 'other') }, 'ensureCadvisor')).told).toMatch(/CADVISOR/)
  })

  test('is left alone by the build when it is complete', async () => {
    const folder = join(root, 'complete')
    mkdirSync(folder)
    const child = spawn(process.execPath, [BUILD, folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [told, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    expect([code, told, readdirSync(folder)]).toEqual([0, '', []])
  })
})
