/**
 * Debian's source package of Kubernetes and the compiler for it, fetched and unpacked into a folder that goes again. Other
 * programs than Kubernetes' own are built of it too: its vendored packages are there without a network.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'

export const PROJECT = 'k8s.io/kubernetes'

/** The last that builds this source and that Debian 12 has. */
const GO = '1.19'
const PACKAGES = [`golang-${GO}-go`, `golang-${GO}-src`, 'golang-github-modern-go-reflect2-dev']
const RELEASE = 'bookworm'
/** From the package debian-archive-keyring, which every Debian has. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

export class GoSource {
  #work
  #packages

  /** `work` is the folder; `packages`: more of Debian's that are unpacked into it. */
  constructor(work, packages = []) {
    this.#work = work
    this.#packages = [...PACKAGES, ...packages]
  }

  /** Where the sources are. */
  get folder() {
    return join(this.#work, 'go', 'src', PROJECT)
  }

  /** Tens of thousands of files: rm needs a fraction of the time that Node does. */
  async remove() {
    await succeed('rm', ['--recursive', '--force', this.#work])
  }

  async fetch() {
    mkdirSync(this.folder, { recursive: true })
    await fetchPackages(this.#work, this.#packages)
    await unpack(this.#work, this.folder)
  }

  go(args) {
    return succeed(join(this.#work, 'usr', 'lib', `go-${GO}`, 'bin', 'go'), args, { cwd: this.folder, env: this.env })
  }

  get env() {
    const root = join(this.#work, 'usr', 'lib', `go-${GO}`)
    const places = {
      GOROOT: root,
      GOPATH: join(this.#work, 'go'),
      GOCACHE: join(this.#work, 'compiled'),
      GOTMPDIR: this.#work,
      GOENV: 'off',
    }
    // openapi-gen asks go for the packages it reads.
    const path = `${join(root, 'bin')}:${process.env.PATH ?? ''}`
    return { ...process.env, ...places, PATH: path, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' }
  }
}

async function unpack(work, source) {
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
}

/** With package lists of its own: the machine's have no sources as a rule, and are root's to change. */
async function fetchPackages(work, packages) {
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
  for (const task of [['update'], ['source', '--download-only', 'kubernetes'], ['download', ...packages]])
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

/** Runs a program to its end and returns its stdout. Throws SetupError when it fails. */
export async function succeed(command, args, options = {}) {
  const result = await run(command, args, options)
  if (result.code === 0) return result.stdout
  throw new SetupError(
    `${[command, ...args].join(' ').slice(0, 200)} failed (exit code ${result.code}):\n${result.excerpt}`,
    'The lines above say why; the next set-up begins anew.',
  )
}
