/** Reading Server-Sent Events: the text of an open answer, cut into its messages. */

export interface StreamMessage {
  readonly name: string
  readonly id: string | undefined
  readonly data: string
}

/** A message longer than this, in characters, ends the reading: nothing of ours comes near. */
const MESSAGE_CHARS_MAX = 64 * 1024 * 1024

/** Messages in order; comments are skipped. Ends when `body` does. Throws RangeError on a message without end. */
export async function* readEventStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamMessage, void> {
  let pending = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true })
    // A message is put together once, when it ends: looked through with each piece, a long one would take its square.
    const isEndIn = text.includes('\n\n') || (text.startsWith('\n') && pending.endsWith('\n'))
    pending += text
    if (isEndIn) {
      const messages = pending.split('\n\n')
      pending = messages.pop() ?? ''
      for (const one of messages) {
        const message = parseMessage(one)
        if (message !== null) yield message
      }
    }
    if (pending.length > MESSAGE_CHARS_MAX) throw new RangeError('a message of the stream does not end')
  }
}

function parseMessage(text: string): StreamMessage | null {
  let name = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') name = value
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? null : { name, id, data: data.join('\n') }
}
