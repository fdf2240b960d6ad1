/** Files by which programs find an API server and say who they are. */
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { type Certificate, readBase64 } from './certificates.ts'

export type Credentials = Certificate | { readonly token: string }

/** `server`: its URL. Everything is in the one file, which only its owner may read. Returns `file`. */
export function writeKubeconfig(file: string, server: string, caFile: string, credentials: Credentials): string {
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': readBase64(credentials.certFile),
          'client-key-data': readBase64(credentials.keyFile),
        }
  const name = 'control-plane'
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': readBase64(caFile) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  }
  writeFileSync(file, stringify(config), { mode: 0o600 })
  return file
}
