import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aggregatorConfig } from '../../aggregator/config.ts'
import { type ConfigSources, environmentName, loadConfig } from '../../common/config-file.ts'
import { UsageError } from '../../common/errors.ts'
import { agentConfig } from '../../node-agent/config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Loads an agent's configuration from `text`, or with no file at all when it is null. */
function load(text: string | null, more: Partial<ConfigSources> = {}) {
  const file = join(folder, 'agent.yaml')
  rmSync(file, { force: true })
  if (text !== null) writeFileSync(file, text)
  return loadConfig(agentConfig, { file, fileRequired: false, env: {}, flags: [], ...more })
}

function problemOf(text: string | null, more: Partial<ConfigSources> = {}): string {
  try {
    load(text, more)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return [error.message.replaceAll(`${folder}/`, ''), error.remedy?.replaceAll(`${folder}/`, '')]
      .filter((part) => part !== undefined)
      .join(' | ')
  }
  return 'none'
}

describe('a configuration', () => {
  test('is filled up with the documented defaults', () => {
    expect(load('mesh: {id: prod-a}\n')).toMatchObject({
      mesh: { id: 'prod-a', listen: ['tcp/7790'], advertise: 'auto', bootstrap: [] },
      node: { name: 'auto', zone: 'auto', roles: 'auto' },
      trust: { ca: '/etc/starling/ca.pem', enrol: 'kubernetes' },
      log: { level: 'info', format: 'json' },
      metrics: { host: '127.0.0.1', port: 7791 },
      recordings: 'refuse',
      fixer: 'off',
      stateDir: '/var/lib/starling',
    })
    const env = { STARLING_MESH_ID: 'prod-a' }
    const aggregator = loadConfig(aggregatorConfig, { file: '/nowhere', fileRequired: false, env, flags: [] })
    expect(aggregator.http).toEqual({ host: '127.0.0.1', port: 7780 })
  })

  test('leaves out an optional part that is not there, and takes a key with nothing after it for an empty part', () => {
    const file = join(folder, 'aggregator.yaml')
    const partOf = (text: string) => {
      writeFileSync(file, text)
      return loadConfig(aggregatorConfig, { file, fileRequired: true, env: {}, flags: [] }).kubernetes
    }
    expect(partOf('mesh: {id: prod-a}\n')).toBeUndefined()
    expect(partOf('mesh: {id: prod-a}\nkubernetes:\n')).toMatchObject({ namespace: 'starling' })
  })

  test('takes a flag before a variable, and a variable before the file', () => {
    const text = 'mesh: {id: prod-a}\nlog: {level: warn, format: pretty}\nnode: {zone: one}\n'
    const env = { STARLING_LOG_LEVEL: 'debug', STARLING_NODE_ZONE: 'two' }
    const flags = [
      { from: '--log-level', path: ['log', 'level'], value: 'error' },
      { from: '--name', path: ['node', 'name'], value: undefined },
    ]
    const config = load(text, { env, flags })
    expect(config.log).toEqual({ level: 'error', format: 'pretty' })
    expect(config.node).toMatchObject({ zone: 'two', name: 'auto' })
  })

  test('reads numbers, lists and words from variables as the key wants them', () => {
    const env = {
      STARLING_MESH_ID: 'prod-a',
      STARLING_METRICS_PORT: '9000',
      STARLING_NODE_ROLES: 'etcd, compute',
      STARLING_NODE_ZONE: '5',
      STARLING_STATE_DIR: '/state',
      STARLING_AGGREGATOR_SERVICE_HOST: '10.0.0.1',
    }
    const config = load(null, { env })
    expect(config).toMatchObject({ metrics: { port: 9000 }, node: { roles: ['etcd', 'compute'], zone: '5' } })
    expect(config.stateDir).toBe('/state')
    expect(load(null, { env: { ...env, STARLING_NODE_ROLES: 'auto' } }).node.roles).toBe('auto')
  })

  test('may lack its default file but not one that the person named', () => {
    expect(problemOf(null, { env: { STARLING_MESH_ID: 'prod-a' } })).toBe('none')
    expect(problemOf(null, { fileRequired: true })).toMatch(/^cannot read agent\.yaml: ENOENT/)
  })
})

describe('a mistake in a configuration', () => {
  test.each([
    ['log:\n  levl: info\n', 'agent.yaml:2: log: unknown key "levl" | did you mean "level"?'],
    ['mesh: {id: a}\nlogs: {}\n', 'agent.yaml:2: unknown key "logs" | did you mean "log"?'],
    [
      'mesh: {id: a}\n\nlog:\n  level: loud\n',
      'agent.yaml:4: log.level: Invalid option: expected one of "debug"|"info"|"warn"|"error"',
    ],
    [
      'mesh:\n  id: a\n  bootstrap:\n    - 10.0.0.7:7790\n    - seed.example:7790\n',
      'agent.yaml:5: mesh.bootstrap.1: must be ADDRESS:PORT, as in 10.0.0.7:7790',
    ],
    ['mesh: {id: a\n', 'agent.yaml:2: not valid YAML'],
    ['mesh: {id: a}\nmesh: {id: b}\n', 'agent.yaml:2: not valid YAML: Map keys must be unique'],
    ['- mesh\n', 'agent.yaml: must hold keys and values, as in "log: {level: info}"'],
    ['mesh: {}\n', 'agent.yaml:1: mesh.id is not set'],
  ])('is shown with its line and the likely remedy: %j', (text, problem) => {
    expect(problemOf(text)).toContain(problem)
  })

  test('is shown with the variable or flag that it came in', () => {
    expect(problemOf('mesh: {id: a}\n', { env: { STARLING_METRICS_PORT: 'tcp://10.0.0.1' } })).toBe(
      'STARLING_METRICS_PORT: metrics.port: Invalid input: expected number, received string',
    )
    const flags = [{ from: '--log-level', path: ['log', 'level'], value: 'loud' }]
    const env = { STARLING_LOG_LEVEL: 'shrill' }
    expect(problemOf('mesh: {id: a}\n', { env, flags })).toMatch(/^--log-level: log\.level: Invalid option/)
  })

  test('that is a missing value says where to put it', () => {
    expect(problemOf(null)).toBe(
      'agent.yaml: mesh.id is not set | set mesh.id in agent.yaml, or STARLING_MESH_ID in the environment',
    )
    expect(problemOf('log:\nmesh:\n')).toContain('agent.yaml:2: mesh.id is not set')
  })

  test('cannot fill the memory', () => {
    expect(problemOf(`mesh: {id: a}\n${'# \n'.repeat(400_000)}`)).toContain('is larger than 1 MiB')
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
    for (const [name, inner] of ['ba', 'cb', 'dc', 'ed']) bomb.push(`${name}: &${name} [${`*${inner}, `.repeat(9)}1]`)
    expect(problemOf(bomb.join('\n'))).toContain('not valid YAML')
  })
})

test('variables are named after the key, in capitals', () => {
  expect(environmentName(['stateDir'])).toBe('STARLING_STATE_DIR')
  expect(environmentName(['mesh', 'id'])).toBe('STARLING_MESH_ID')
})
