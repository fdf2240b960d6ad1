/**
 * Builds etcd's and Kubernetes' programs into a folder that appears when they are complete. Everything that is fetched or
 * made on the way is beside it and goes again. Run by kubernetes.mjs, which holds the lock.
 *
 * node scripts/setup/kubernetes-build.mjs FOLDER
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from './command.mjs'
import { KUBERNETES_PROGRAMS, KUBERNETES_VERSION } from './kubernetes-cache.mjs'
import { buildFolder } from './kubernetes-folder.mjs'
import { PROJECT, succeed } from './kubernetes-source.mjs'
import { withProgress } from './progress.mjs'

const OPENAPI = `${PROJECT}/pkg/generated/openapi`
/** Staged packages whose types no API server serves. */
const OPENAPI_WITHOUT = /^(?:code-generator|examples|sample-[^/]+)\//

const [, , folder = ''] = process.argv

await buildFolder(folder, { what: 'Kubernetes', packages: ['etcd-server'] }, async ({ sources, work, made }) => {
  letPodsStartTogether(join(sources.folder, 'pkg', 'kubelet', 'container', 'testing', 'os.go'))
  cpSync(join(work, 'usr', 'bin', 'etcd'), join(made, 'etcd'))
  await withProgress('generating what the sources leave out (half a minute)', () => generateOpenapi(sources, work))
  await withProgress(`building Kubernetes ${KUBERNETES_VERSION} (about 3 minutes, once)`, () => compile(sources, made))
  for (const program of KUBERNETES_PROGRAMS) await succeed(join(made, program), ['--version'], {})
})

/**
 * Pods that a hollow kubelet starts at the same moment write to one map without a lock, which ends it now and then with "fatal
 * error: concurrent map writes". Nothing in kubemark reads that map.
 */
function letPodsStartTogether(file) {
  const before = readFileSync(file, 'utf8')
  const after = before.replace('\tf.Files[path] = []*os.FileInfo{}\n', '')
  if (after === before) throw new SetupError(`${file} is not what this build knows`, 'Look at letPodsStartTogether.')
  writeFileSync(file, after)
}

/** The API server cannot be compiled without this file, which the source package does not have. */
async function generateOpenapi(sources, work) {
  const source = sources.folder
  const generator = join(work, 'openapi-gen')
  await sources.go(['build', '-o', generator, `${PROJECT}/vendor/k8s.io/kube-openapi/cmd/openapi-gen`])
  const packages = await openapiPackages(source)
  const header = join('hack', 'boilerplate', 'boilerplate.generatego.txt')
  const inputs = packages.flatMap((name) => ['--input-dirs', name])
  const outputs = [
    '--output-package',
    OPENAPI,
    '--output-file-base',
    'zz_generated.openapi',
    '--go-header-file',
    header,
  ]
  const report = ['--report-filename', join(work, 'openapi-report')]
  // Its output base is the first folder of GOPATH.
  await succeed(generator, [...inputs, ...outputs, ...report], { cwd: source, env: sources.env })
}

/** Import paths of all packages that ask to be described. */
async function openapiPackages(source) {
  const mark = '+k8s:openapi-gen='
  const staged = join('staging', 'src', 'k8s.io')
  const find = ['--recursive', '--files-with-matches', '--include=*.go', '--fixed-strings', '--', mark, 'pkg', staged]
  const files = (await succeed('grep', find, { cwd: source })).split('\n').filter((file) => file !== '')
  const folders = [...new Set(files.map((file) => file.slice(0, file.lastIndexOf('/'))))].sort()
  return folders.flatMap((name) => {
    if (!name.startsWith(`${staged}/`)) return `${PROJECT}/${name}`
    const inside = name.slice(staged.length + 1)
    return OPENAPI_WITHOUT.test(`${inside}/`) ? [] : `${PROJECT}/vendor/k8s.io/${inside}`
  })
}

function compile(sources, made) {
  const [major, minor] = KUBERNETES_VERSION.split('.')
  const facts = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor }
  const set = (path) => Object.entries(facts).map(([name, value]) => `-X ${path}/version.${name}=${value}`)
  const stamp = ['k8s.io/component-base', 'k8s.io/client-go/pkg'].flatMap((path) => set(`${PROJECT}/vendor/${path}`))
  const commands = KUBERNETES_PROGRAMS.filter((name) => name !== 'etcd').map((name) => `./cmd/${name}`)
  const flags = ['-tags', 'providerless,dockerless', '-o', `${made}/`, '-ldflags', ['-s', '-w', ...stamp].join(' ')]
  return sources.go(['build', ...flags, ...commands])
}
