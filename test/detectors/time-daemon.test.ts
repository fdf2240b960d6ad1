import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { timeDaemon } from '../../detectors/time-daemon.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const CHRONYC = '/usr/bin/chronyc -n -c'
const NTPQ = '/usr/bin/ntpq -c rv 0 leap,refid,rootdelay,rootdisp,offset'
const TIMEDATECTL = '/usr/bin/timedatectl show --property=NTPSynchronized --value'
const silentChrony = { [`${CHRONYC} tracking`]: { code: 1, stdout: '506 Cannot talk to daemon\n' } }

type Commands = Record<string, { readonly code?: number; readonly stdout?: string; readonly stderr?: string }>
const withCommands = (commands: Commands) => look(timeDaemon, fixtureHost('time-daemon/ok', { commands }))

describe('time-daemon', () => {
  it('is content with a daemon that runs and follows a source', async () => {
    expect(await look(timeDaemon, fixtureHost('time-daemon/ok'))).toEqual([])
  })

  it('finds one that has no source to follow', async () => {
    expect(summaries(await look(timeDaemon, fixtureHost('time-daemon/bad')))).toEqual([
      'a time daemon runs, and by chronyd the clock follows 0 sources: it has not chosen a source',
    ])
  })

  it('finds sources that have all fallen silent, of which chronyd goes on to say that it is well', async () => {
    const commands = {
      [`${CHRONYC} tracking`]: {
        stdout: 'C0000201,192.0.2.1,3,1795307662.4,0.0,0.0,0.0,1.0,0.0,1.0,0.001,0.002,64.0,Normal\n',
      },
      [`${CHRONYC} sources`]: {
        stdout: '^,?,192.0.2.1,2,6,0,920,0.0,0.0,0.0\n^,?,192.0.2.2,2,6,0,925,0.0,0.0,0.0\n',
      },
    }
    expect(summaries(await withCommands(commands))[0]).toContain('it has 2 sources, and none answers')
  })

  it('finds none running where one is enabled, and says only that', async () => {
    expect(await look(timeDaemon, fixtureHost('time-daemon/down'))).toEqual([
      {
        reason: 'TimeDaemonDown',
        summary: 'none of 1 processes is a time daemon, and chrony.service is enabled',
        evidence: [{ name: 'time daemons', value: 0, limit: 1, unit: 'processes' }],
      },
    ])
  })

  it('does not apply where none is meant to run, unless one is required', async () => {
    const host = fixtureHost('time-daemon/not-applicable')
    await expect(look(timeDaemon, host)).rejects.toThrow(NotApplicable)
    expect(reasons(await look(timeDaemon, host, { required: true }))).toEqual(['TimeDaemonDown'])
  })

  it.each([
    ['leap=00, refid=192.0.2.1,\nrootdelay=1.204, rootdisp=12.3, offset=-0.021\n', []],
    ['leap=11, refid=INIT,\nrootdelay=0.000, rootdisp=0.000, offset=0.000\n', ['TimeNotSynchronised']],
  ])('asks ntpd where chronyd does not answer: %j', async (stdout, expected) => {
    expect(reasons(await withCommands({ ...silentChrony, [NTPQ]: { stdout } }))).toEqual(expected)
  })

  it.each([
    ['     status: 8193\n   maxerror: 2000\n', []],
    ['     status: 64\n   maxerror: 16000000\n', ['TimeNotSynchronised']],
  ])('asks the kernel where no daemon answers: %j', async (stdout, expected) => {
    expect(reasons(await withCommands({ '/usr/sbin/adjtimex --print': { stdout } }))).toEqual(expected)
  })

  it.each([
    ['yes\n', []],
    ['no\n', ['TimeNotSynchronised']],
  ])('asks systemd for what the kernel says: %j', async (stdout, expected) => {
    expect(reasons(await withCommands({ ...silentChrony, [TIMEDATECTL]: { stdout } }))).toEqual(expected)
  })

  it('accuses nobody where nobody can say', async () => {
    const stderr = "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    expect(await withCommands({ [TIMEDATECTL]: { code: 1, stderr } })).toEqual([])
  })

  it.each([
    ['chronyc tracking answered', { [`${CHRONYC} tracking`]: { stdout: '' } }],
    ['chronyc failed (2)', { [`${CHRONYC} tracking`]: { code: 2, stderr: 'no' } }],
    ['ntpq answered', { [NTPQ]: { stdout: 'leap=00' } }],
    ['adjtimex answered', { '/usr/sbin/adjtimex --print': { stdout: 'mode: 0' } }],
    ['timedatectl answered', { [TIMEDATECTL]: { stdout: 'perhaps' } }],
  ])('knows nothing when %s nonsense', async (what, commands) => {
    await expect(withCommands(commands)).rejects.toThrow(what)
  })

  it('refuses an empty list of daemons', () => {
    expect(timeDaemon.options.safeParse({ commands: [] }).success).toBe(false)
  })
})
