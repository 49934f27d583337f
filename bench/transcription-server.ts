// A transcription server of one's own in OpenAI's form, `POST /v1/audio/transcriptions`, that hears with PocketSphinx
// or in any other way, and can go away.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HeardPhrase, recognise } from './recogniser.ts'

/** A running server; it is closed at the end of the scope (`await using`). */
export type TranscriptionServer = AsyncDisposable & {
  /** What `WHISPER_BASE_URL` is to be. */
  readonly baseUrl: string
  /** The files that came, in the order in which they came. */
  readonly files: readonly Uint8Array[]
  /** Nobody listens any more, and what is under way is cut off. */
  readonly goAway: () => Promise<void>
  /** Listens again, where it did. */
  readonly comeBack: () => Promise<void>
}

/** What is heard in a WAV file. */
export type Hear = (file: Uint8Array) => Promise<readonly HeardPhrase[]>

/** Starts it on a free port of this machine. */
export async function startTranscriptionServer(
  hear: Hear = (file) => recognise(file, 'wav'),
): Promise<TranscriptionServer> {
  const files: Uint8Array[] = []

  async function answer(request: IncomingMessage): Promise<readonly [number, object]> {
    if (request.method !== 'POST' || request.url !== '/v1/audio/transcriptions')
      return [404, { error: { message: `there is no ${request.method} ${request.url}` } }]
    const file = await fileOf(request)
    if (file === undefined) return [400, { error: { message: 'the form has no file' } }]
    files.push(file)
    const phrases = await hear(file)
    return [
      200,
      {
        task: 'transcribe',
        language: 'english',
        text: phrases.map(({ text }) => text).join(' '),
        segments: phrases.map((phrase, id) => ({ id, ...phrase })),
      },
    ]
  }

  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request).catch(
      (error: Error) => [500, { error: { message: error.message } }] as const,
    )
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const goAway = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  const port = await listen(0)
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    files,
    goAway,
    comeBack: async () => {
      await listen(port)
    },
    [Symbol.asyncDispose]: goAway,
  }
}

async function fileOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const body = Buffer.concat(await request.toArray())
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const file = (await new Response(body, { headers }).formData()).get('file')
  return file instanceof File ? new Uint8Array(await file.arrayBuffer()) : undefined
}
