/** The flag by which a person says in which time zone times are to be written. */
import { InvalidArgumentError, Option } from 'commander'
import { localZone, timeZone } from '../common/time-zone.ts'

/** That of this machine when not given. */
export function zoneOption(): Option {
  return new Option('--zone <zone>', 'time zone of its times, as Asia/Shanghai')
    .argParser(parseZone)
    .default(localZone())
}

function parseZone(name: string): string {
  const { data, error } = timeZone.safeParse(name)
  if (data === undefined) throw new InvalidArgumentError(error?.issues[0]?.message ?? '')
  return data
}
