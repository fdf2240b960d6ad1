/** What `starling plugin new` writes: a detector that works, its tests, and two recorded hosts. */

export interface Template {
  readonly name: string
  /** Text by path below the folder of the plugin. */
  readonly files: Readonly<Record<string, string>>
  /** Those that are programs. */
  readonly executable: readonly string[]
}

/** Where plugins lie on a node; a manifest names its program there. */
export const INSTALLED = '/etc/starling/plugins.d'

const LIMIT = 100

/** `name`: kebab-case. */
export function typescriptTemplate(name: string): Template {
  const reason = reasonOf(name)
  const path = `/var/lib/${name}/queue`
  return {
    name,
    executable: [],
    files: {
      [`${name}.ts`]: `/** Is the queue of ${name} growing? Change everything here: what is read, and from when on it is a fault. */
import { defineDetector, z } from 'starling/detector'

export default defineDetector({
  name: '${name}',
  version: '0.1.0',
  summary: 'How many jobs wait in the queue of ${name}.',
  every: '30s',
  timeout: '5s',
  needs: [],
  // Shown to whoever installs it, and all that it gets: reading anything else fails.
  touches: { paths: ['${path}'] },
  options: z.strictObject({
    limit: z.number().positive().default(${LIMIT}).describe('Jobs in the queue from which it is a warning.'),
  }),
  reasons: {
    ${reason}: {
      severity: 'warn',
      summary: 'Jobs wait longer and longer.',
      sustain: '1m',
      runbook: '${name}',
    },
  },

  // All that touches the host, and it only reads. A host without the file is none that this is about: readInt says so itself.
  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return { waiting: await host.readInt('${path}') }
  },

  // Pure: what was read goes in, faults come out. None is fine.
  judge({ waiting }, { limit }) {
    if (waiting < limit) return []
    const summary = \`\${waiting} jobs wait, \${limit} are too many\`
    return [{ reason: '${reason}', summary, evidence: [{ name: 'waiting', value: waiting, limit, unit: 'jobs' }] }]
  },
})
`,
      [`${name}.test.ts`]: `/** Run by: starling plugin test ${name}.ts */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixtureHost, look } from 'starling/testing'
import detector from './${name}.ts'

const recorded = (name: string) => fixtureHost(\`\${import.meta.dirname}/fixtures/${name}/\${name}\`)

test('says nothing of a short queue', async () => {
  assert.deepEqual(await look(detector, recorded('ok')), [])
})

test('warns of a long one, with the figures', async () => {
  const [judgement] = await look(detector, recorded('bad'))
  assert.equal(judgement?.reason, '${reason}')
  assert.match(judgement.summary, /140 jobs wait/)
})

test('warns from the limit on', async () => {
  assert.equal((await look(detector, recorded('bad'), { limit: 141 })).length, 0)
  assert.equal((await look(detector, recorded('bad'), { limit: 140 })).length, 1)
})
`,
      [`fixtures/${name}/ok/host.json`]: '{}\n',
      [`fixtures/${name}/ok${path}`]: '3\n',
      [`fixtures/${name}/bad/host.json`]: '{}\n',
      [`fixtures/${name}/bad${path}`]: '140\n',
    },
  }
}

/** A shell script that answers as Nagios plugins do, and its manifest. */
export function shellTemplate(name: string): Template {
  const reason = reasonOf(name)
  const installed = `${INSTALLED}/${name}.sh`
  const path = `/var/lib/${name}/queue`
  const answer = (code: number, stdout: string) =>
    `${JSON.stringify({ commands: { [installed]: { code, stdout: `${stdout}\n` } } }, null, 2)}\n`
  return {
    name,
    executable: [`${name}.sh`],
    files: {
      [`${name}.sh`]: `#!/bin/sh
# Is the queue of ${name} growing? Exit code 0 is fine, 1 a warning, 2 critical, anything else: it could not look.
# Usage: ${name}.sh [ROOT]: the root of the host to look at, for tests.
set -u
queue="\${1:-}${path}"
limit=${LIMIT}

waiting=$(cat "$queue") || exit 3
case $waiting in
  '' | *[!0-9]*) echo "UNKNOWN - $queue holds no number"; exit 3 ;;
esac
if [ "$waiting" -ge "$limit" ]; then
  echo "WARNING - $waiting jobs wait, $limit are too many | waiting=$waiting;$limit"
  exit 1
fi
echo "OK - $waiting jobs wait | waiting=$waiting;$limit"
`,
      [`${name}.yaml`]: `# What ${name}.sh is, and what its answers mean. It is run from where it is installed.
dialect: nagios
name: ${name}
version: 0.1.0
summary: How many jobs wait in the queue of ${name}.
command: [${installed}]
every: 30s
timeout: 5s
# Shown to whoever installs it, and where there is bubblewrap all that it finds: a program that it runs, too, is named.
touches:
  paths: [${path}]
  commands: [/usr/bin/cat]
states:
  warning: ${reason}
  critical: ${reason}
reasons:
  ${reason}:
    severity: warn
    summary: Jobs wait longer and longer.
    sustain: 1m
    runbook: ${name}
`,
      [`${name}.test.ts`]: `/** Run by: starling plugin test ${name}.yaml. What follows tests the script; the manifest is held to the recorded answers. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'

/** Runs the script on a made-up host with this in its queue file. */
function run(content: string) {
  const root = mkdtempSync(\`\${tmpdir()}/${name}-\`)
  mkdirSync(\`\${root}/var/lib/${name}\`, { recursive: true })
  writeFileSync(\`\${root}${path}\`, content)
  const { status, stdout } = spawnSync('/bin/sh', [\`\${import.meta.dirname}/${name}.sh\`, root], { encoding: 'utf8' })
  rmSync(root, { recursive: true })
  return { status, stdout }
}

test('a short queue is fine', () => {
  assert.deepEqual(run('3\\n'), { status: 0, stdout: 'OK - 3 jobs wait | waiting=3;${LIMIT}\\n' })
})

test('a long one is a warning, with the figures', () => {
  const { status, stdout } = run('140\\n')
  assert.equal(status, 1)
  assert.match(stdout, /^WARNING - 140 jobs wait/)
})

test('what is no number is not known', () => {
  assert.equal(run('many\\n').status, 3)
})
`,
      [`fixtures/${name}/ok/host.json`]: answer(0, `OK - 3 jobs wait | waiting=3;${LIMIT}`),
      [`fixtures/${name}/bad/host.json`]: answer(
        1,
        `WARNING - 140 jobs wait, ${LIMIT} are too many | waiting=140;${LIMIT}`,
      ),
    },
  }
}

/** `mail-queue` has `MailQueueLong`. */
function reasonOf(name: string): string {
  return `${name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Long`
}
