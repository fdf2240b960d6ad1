import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactor } from '../../detectors/recording/redact.ts'

const redact = (text: string) => redactor(['storage-12.example.org'], 'node-7')(text)

describe('redaction', () => {
  it.each([
    ['--token=abc123 --port=1', '--token=REDACTED --port=1'],
    ['--bootstrap-token\0abcdef.0123456789abcdef\0--v\0', '--bootstrap-token\0REDACTED\0--v\0'],
    ['kubelet --service-account-key /x run', 'kubelet --service-account-key REDACTED run'],
    ['password: hunter2', 'password: REDACTED'],
    ['{"apiKey":"s3cr3t","port":1}', '{"apiKey":"REDACTED","port":1}'],
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=REDACTED'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer REDACTED'],
    ['postgres://joe:hunter2@db/x', 'postgres://REDACTED@db/x'],
    ['AKIAIOSFODNN7EXAMPLE', 'REDACTED'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl', 'REDACTED'],
    [
      'a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nb',
      'a\n-----BEGIN RSA PRIVATE KEY-----\nREDACTED\n-----END RSA PRIVATE KEY-----\nb',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIIE cut off', '-----BEGIN PRIVATE KEY-----\nREDACTED\n-----END PRIVATE KEY-----'],
  ])('takes the secret out of %j', (text, clean) => {
    expect(redact(text)).toBe(clean)
  })

  it('gives names and addresses a stand-in, the same each time', () => {
    expect(redact('storage-12.example.org and STORAGE-12, not storage-123')).toBe('node-7 and node-7, not storage-123')
    expect(redact('10.1.2.3:80 10.1.2.4 10.1.2.3')).toBe('192.0.2.1:80 192.0.2.2 192.0.2.1')
    expect(redact('fe80::1a2b%eth0 fe80::1a2b')).toBe('2001:db8::1%eth0 2001:db8::1')
    expect(redact('52:54:00:12:34:56')).toBe('02:00:00:00:00:01')
    expect(redact('0A00000A:1F90 0100007F:0050 00000000:0000')).toBe('00000001:1F90 0100007F:0050 00000000:0000')
    expect(redact('/dev/disk/by-uuid/0b1c2d3e-aaaa-bbbb-cccc-0123456789ab')).toMatch(/00000000-0000-4000-8000-0{11}1$/)
    expect(redact('a1b2c3d4e5f60718293a4b5c6d7e8f90')).toBe('00000000000000000000000000000001')
  })

  it.each([
    'MemTotal:       16384256 kB\nSecPageTables:     0 kB',
    '127.0.0.1 localhost 0.0.0.0 ::1 ::',
    '/dev/sda1 / ext4 rw,relatime,errors=remount-ro 0 0',
    'Linux version 6.1.0-13-amd64 (debian-kernel@lists.debian.org)',
    '12:30:45 up 3 days, load 0.52 0.58 0.59 1/467 12345',
    'cpu  100 200 300 400 500 600 700 0 0 0',
    '254280\n',
  ])('leaves %j as it is', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('gives other hosts of the mesh stand-ins, but not words that hold their names', () => {
    const ofMesh = redactor(['n1'], 'node-7', ['n1', 'node-7', 'n2.example.org', 'db'])
    expect(ofMesh('n1 node-7 N2.example.org:2379 n2.example.org.')).toBe('node-7 peer-1 peer-2:2379 peer-2.')
    expect(ofMesh('db.local db1 a-db /db/ "db"')).toBe('peer-3.local db1 a-db /peer-3/ "peer-3"')
    expect(ofMesh('n1.example.org')).toBe('node-7.example.org')
  })

  it.each([
    'x',
    '-',
    ':',
    'a:',
    '::g',
    'eyJ-',
    '1.2.3.',
    'a+',
    'token ',
    '--token-',
    'a://',
    '-----BEGIN A PRIVATE KEY',
  ])('gets through a text of nothing but %j', (part) => {
    // Pattern by pattern, work that grew with the square of the length would take hours.
    redactor(['n1'], 'node-7', ['n2'])(part.repeat(Math.ceil(1_000_000 / part.length)))
  })

  it('leaves no address of a host behind, in whatever text', () => {
    const octet = fc.integer({ min: 1, max: 250 })
    const address = fc.tuple(fc.integer({ min: 1, max: 9 }), octet, octet, octet).map((parts) => parts.join('.'))
    const between = fc.constantFrom(' ', '\n', ',', ':80 ', '/', '"', '=', ' -> ', '\0')
    fc.assert(
      fc.property(fc.array(fc.tuple(between, address), { minLength: 1, maxLength: 9 }), (parts) => {
        const clean = redact(parts.flat().join(''))
        for (const found of clean.match(/(?:\d{1,3}\.){3}\d{1,3}/g) ?? []) expect(found).toMatch(/^192\.0\.2\./)
      }),
    )
  })
})
