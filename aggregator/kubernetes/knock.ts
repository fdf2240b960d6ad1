/** Whether the process that holds the Lease still listens. What refuses is the kernel of a host that lives. */
import { connect } from 'node:net'
import type { Member } from '../../mesh/core/model.ts'
import type { Answer } from '../../mesh/election/model.ts'

const KNOCK_MS = 2_000

/** `accepted` when any of its addresses is, `refused` when all refuse. Ends within two seconds, and never rejects. */
export async function knock({ hosts, meshPort }: Pick<Member, 'hosts' | 'meshPort'>): Promise<Answer> {
  const answers = await Promise.all(hosts.map((host) => knockAt(host, meshPort)))
  if (answers.includes('accepted')) return 'accepted'
  return answers.length > 0 && answers.every((answer) => answer === 'refused') ? 'refused' : 'nothing'
}

async function knockAt(host: string, port: number): Promise<Answer> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: KNOCK_MS })
    const end = (answer: Answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end('accepted'))
    socket.once('timeout', () => end('nothing'))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'refused' : 'nothing'))
  })
}
