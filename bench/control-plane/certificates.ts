/** The certificates of a control plane, by the openssl command: Node makes keys, but no certificates. */
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const runFile = promisify(execFile)

const DAYS = '7'

/** Who a certificate is for: an API server takes the name for the user and the organisation for the user's group. */
export interface Holder {
  readonly name: string
  readonly organisation?: string
  /** Of a server. */
  readonly addresses?: readonly string[]
}

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

export class CertificateAuthority {
  readonly dir: string
  readonly certFile: string
  readonly #keyFile: string
  readonly #configFile: string

  private constructor(dir: string) {
    this.dir = dir
    this.certFile = join(dir, 'ca.crt')
    this.#keyFile = join(dir, 'ca.key')
    this.#configFile = join(dir, 'openssl.cnf')
  }

  /** `dir` is made. Rejects with what openssl (3.0 or later) said. */
  static async create(dir: string): Promise<CertificateAuthority> {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const authority = new CertificateAuthority(dir)
    // Of its own, so that the machine's adds nothing to what is signed.
    writeFileSync(authority.#configFile, '[req]\ndistinguished_name = name\n[name]\n')
    const files = { certFile: authority.certFile, keyFile: authority.#keyFile }
    await authority.#request(files, '/CN=control-plane-ca', ['basicConstraints=critical,CA:TRUE'], [])
    return authority
  }

  /** Names are letters, digits and dashes, and colons for those of Kubernetes. */
  async issue({ name, organisation, addresses }: Holder): Promise<Certificate> {
    const file = join(this.dir, name.replaceAll(':', '-'))
    const files = { certFile: `${file}.crt`, keyFile: `${file}.key` }
    const subject = `${organisation === undefined ? '' : `/O=${organisation}`}/CN=${name}`
    const names = addresses?.map((address) => `IP:${address}`).join(',')
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      `extendedKeyUsage=${addresses === undefined ? 'clientAuth' : 'serverAuth'}`,
      ...(names === undefined ? [] : [`subjectAltName=${names}`]),
    ]
    await this.#request(files, subject, extensions, ['-CA', this.certFile, '-CAkey', this.#keyFile])
    return files
  }

  async #request(
    { certFile, keyFile }: Certificate,
    subject: string,
    extensions: readonly string[],
    signer: readonly string[],
  ): Promise<void> {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile]
    const added = extensions.flatMap((extension) => ['-addext', extension])
    const about = ['-x509', '-days', DAYS, '-subj', subject, '-out', certFile]
    await runFile('openssl', ['req', '-config', this.#configFile, ...about, ...key, ...added, ...signer])
  }
}

/** The key by which an API server signs the tokens of service accounts. Returns its file, with both halves in it. */
export function writeTokenKey(dir: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const file = join(dir, 'tokens.key')
  writeFileSync(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  return file
}

export function readBase64(file: string): string {
  return readFileSync(file).toString('base64')
}
