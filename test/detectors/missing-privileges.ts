/** Run with other rights: prints which privileges are missing for the host rooted at the first argument. */
import { missingPrivileges } from '../../detectors/host/privileges.ts'

const needs = ['CAP_SYSLOG', 'CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE', 'CAP_NET_ADMIN', 'kmsg', 'cri', 'dbus'] as const
process.stdout.write(JSON.stringify(await missingPrivileges(process.argv[2] ?? '/', needs)))
