/**
 * Builds etcd's and Kubernetes' programs into a folder that appears when they are complete. Everything that is fetched or
 * made on the way is beside it and goes again. Run by kubernetes.mjs, which holds the lock.
 *
 * node scripts/setup/kubernetes-build.mjs FOLDER
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { KUBERNETES_PROGRAMS, KUBERNETES_VERSION } from './kubernetes-cache.mjs'
import { say, withProgress } from './progress.mjs'

/** The last that builds this source and that Debian 12 has. */
const GO = '1.19'
const PACKAGES = [`golang-${GO}-go`, `golang-${GO}-src`, 'golang-github-modern-go-reflect2-dev', 'etcd-server']
const RELEASE = 'bookworm'
/** From the package debian-archive-keyring, which every Debian has. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

const PROJECT = 'k8s.io/kubernetes'
const OPENAPI = `${PROJECT}/pkg/generated/openapi`
/** Staged packages whose types no API server serves. */
const OPENAPI_WITHOUT = /^(?:code-generator|examples|sample-[^/]+)\//

const [, , folder = ''] = process.argv
const work = `${folder}.building`

if (!existsSync(folder)) {
  try {
    await build()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${error.message}\n${error.remedy}`)
    process.exitCode = 1
  } finally {
    await removeWork()
  }
}

/** Tens of thousands of files: rm needs a fraction of the time that Node does. */
async function removeWork() {
  await succeed('rm', ['--recursive', '--force', work])
}

async function build() {
  await removeWork()
  const source = join(work, 'go', 'src', PROJECT)
  const made = join(work, 'made')
  for (const path of [source, made]) mkdirSync(path, { recursive: true })
  await withProgress('fetching the sources of Kubernetes and a compiler', () => fetchAndUnpack(source))
  cpSync(join(work, 'usr', 'bin', 'etcd'), join(made, 'etcd'))
  await withProgress('generating what the sources leave out (half a minute)', () => generateOpenapi(source))
  await withProgress(`building Kubernetes ${KUBERNETES_VERSION} (about 3 minutes, once)`, () => compile(source, made))
  for (const program of KUBERNETES_PROGRAMS) await succeed(join(made, program), ['--version'], {})
  renameSync(made, folder)
}

async function fetchAndUnpack(source) {
  await fetchPackages()
  const fetched = readdirSync(work)
  for (const name of fetched.filter((each) => each.endsWith('.deb')))
    await succeed('dpkg-deb', ['--extract', name, '.'], { cwd: work })
  const original = fetched.find((name) => name.includes('.orig.tar'))
  if (original === undefined) throw new SetupError('the source package of Kubernetes holds no sources', 'Try again.')
  await succeed('tar', ['--extract', '--strip-components=1', '--directory', source, '--file', join(work, original)])
  // The vendored one reads maps in a way that crashes the API server when it was compiled by Go 1.18 or later.
  const reflect2 = join('src', 'github.com', 'modern-go', 'reflect2')
  const vendored = join(source, 'vendor', 'github.com', 'modern-go', 'reflect2')
  rmSync(vendored, { recursive: true })
  cpSync(join(work, 'usr', 'share', 'gocode', reflect2), vendored, { recursive: true })
  letPodsStartTogether(join(source, 'pkg', 'kubelet', 'container', 'testing', 'os.go'))
}

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

/** With package lists of its own: the machine's have no sources as a rule, and are root's to change. */
async function fetchPackages() {
  const list = join(work, 'sources.list')
  for (const part of ['lists', join('cache', 'archives')]) mkdirSync(join(work, part, 'partial'), { recursive: true })
  const mirror = await mirrorOfThisMachine()
  const entry = (kind) => `${kind} [signed-by=${KEYRING}] ${mirror} ${RELEASE} main\n`
  writeFileSync(list, entry('deb') + entry('deb-src'))
  const options = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    // Its usual user may not enter the folder. What is run after an update is for the machine's own lists.
    'APT::Sandbox::User': 'root',
    'APT::Update::Post-Invoke-Success': '/bin/true',
    'Acquire::Languages': 'none',
  }
  const flags = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  for (const task of [['update'], ['source', '--download-only', 'kubernetes'], ['download', ...PACKAGES]])
    await succeed('apt-get', ['--quiet', ...flags, ...task], { cwd: work })
}

async function mirrorOfThisMachine() {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const said = await succeed('apt-get', [
    'indextargets',
    '--no-release-info',
    '--format',
    format,
    'Identifier: Packages',
  ])
  const lines = said.split('\n').map((line) => line.split(' '))
  const uri = lines.find(([, release, component]) => release === RELEASE && component === 'main')?.[0]
  if (uri !== undefined) return uri
  throw new SetupError(
    `the package sources of this machine do not name ${RELEASE} main`,
    'Add it to /etc/apt, then run the same command again.',
  )
}

/** The API server cannot be compiled without this file, which the source package does not have. */
async function generateOpenapi(source) {
  const env = goEnv()
  const generator = join(work, 'openapi-gen')
  await go(['build', '-o', generator, `${PROJECT}/vendor/k8s.io/kube-openapi/cmd/openapi-gen`], source)
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
  await succeed(generator, [...inputs, ...outputs, ...report], { cwd: source, env })
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

function compile(source, made) {
  const [major, minor] = KUBERNETES_VERSION.split('.')
  const facts = { gitVersion: `v${KUBERNETES_VERSION}`, gitMajor: major, gitMinor: minor }
  const set = (path) => Object.entries(facts).map(([name, value]) => `-X ${path}/version.${name}=${value}`)
  const stamp = ['k8s.io/component-base', 'k8s.io/client-go/pkg'].flatMap((path) => set(`${PROJECT}/vendor/${path}`))
  const commands = KUBERNETES_PROGRAMS.filter((name) => name !== 'etcd').map((name) => `./cmd/${name}`)
  return go(
    [
      'build',
      '-tags',
      'providerless,dockerless',
      '-o',
      `${made}/`,
      '-ldflags',
      ['-s', '-w', ...stamp].join(' '),
      ...commands,
    ],
    source,
  )
}

function go(args, source) {
  return succeed(join(work, 'usr', 'lib', `go-${GO}`, 'bin', 'go'), args, { cwd: source, env: goEnv() })
}

function goEnv() {
  const root = join(work, 'usr', 'lib', `go-${GO}`)
  const places = {
    GOROOT: root,
    GOPATH: join(work, 'go'),
    GOCACHE: join(work, 'compiled'),
    GOTMPDIR: work,
    GOENV: 'off',
  }
  // openapi-gen asks go for the packages it reads.
  const path = `${join(root, 'bin')}:${process.env.PATH ?? ''}`
  return { ...process.env, ...places, PATH: path, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' }
}

/** Runs a program to its end and returns its stdout. Throws SetupError when it fails. */
async function succeed(command, args, options = {}) {
  const result = await run(command, args, options)
  if (result.code === 0) return result.stdout
  throw new SetupError(
    `${[command, ...args].join(' ').slice(0, 200)} failed (exit code ${result.code}):\n${result.excerpt}`,
    'The lines above say why; the next set-up begins anew.',
  )
}
