import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import { finding, fixture } from '../parts.ts'

export const UNBOUNDED = finding('syslog-level', 'DockerLogsUnbounded', '', [
  { name: 'log-opts.max-size', value: 'not set', limit: 'a size', unit: '' },
])

const disturb: Case['disturb'] = ({ root }) =>
  writeFile(join(root, 'etc/docker/daemon.json'), '{"log-opts": {"max-size": "7m"}}')

export const logRotateConfigCases: readonly Case[] = [
  { name: 'a file that says other things', host: fixture('log-rotate-config'), finding: UNBOUNDED, disturb },
  { name: 'no file', host: fixture('log-rotate-config-new'), finding: UNBOUNDED, disturb },
]
