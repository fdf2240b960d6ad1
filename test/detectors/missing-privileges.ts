/** Run with other rights: prints which privileges are missing for the host rooted at the first argument. */
import { NEEDS } from '../../detectors/host/port.ts'
import { missingPrivileges } from '../../detectors/host/privileges.ts'

process.stdout.write(JSON.stringify(await missingPrivileges(process.argv[2] ?? '/', NEEDS)))
