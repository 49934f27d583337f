// The conversation of an AudioHook session, from the PBX's side: open, ping, pause and resume, close. It holds
// the gateway to the rules of the protocol; time-outs are real time, whatever the clock of the call.
import type { Connection } from '../connection.ts'
import type { Message } from '../protocol.ts'

/** One session. */
export type GenesysSession = {
  /** Takes a message of the gateway. @throws Error when the protocol does not allow it */
  readonly hear: (message: Message) => void
  /** Resolves when the gateway has taken one of the offered media, within 5 s. */
  readonly open: (parameters: OpenParameters) => Promise<void>
  /**
   * The audio reaches so many seconds; its bytes are sent, unless there are none or the session is paused.
   * @returns whether they were sent
   */
  readonly advance: (seconds: number, bytes: Message) => boolean
  /** Pings; the pong to the ping before must have come within 5 s. */
  readonly ping: () => Promise<void>
  /** Resolves when the gateway has closed the session, within 10 s. */
  readonly close: () => Promise<void>
}

/** What a session is opened with; `media` is offered, the best first. */
export type OpenParameters = Readonly<Record<string, unknown>> & {
  readonly media: readonly object[]
}

type ServerMessage = {
  readonly version?: unknown
  readonly id?: unknown
  readonly type?: unknown
  readonly seq?: unknown
  readonly clientseq?: unknown
  readonly parameters?: { readonly media?: unknown; readonly reason?: unknown; info?: unknown }
}

const openTimeoutMs = 5000
const pongTimeoutMs = 5000
const closeTimeoutMs = 10_000

/** Begins a session; nothing is sent before it is opened. */
export function createGenesysSession(
  id: string,
  { send, waitFor }: Pick<Connection, 'send' | 'waitFor'>,
): GenesysSession {
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let offered: readonly object[] = []
  let pong = Promise.withResolvers<void>()
  let pingedAt: number | undefined
  let [sequence, heardSequence, position, pausedAt] = [0, 0, 0, 0]
  let state: 'new' | 'opening' | 'open' | 'paused' | 'closing' = 'new'

  function say(type: string, parameters: object): void {
    sequence += 1
    const common = { version: '2', id, type, seq: sequence, serverseq: heardSequence }
    send(JSON.stringify({ ...common, position: duration(position), parameters }))
  }

  function sayClose(reason: string): void {
    if (state === 'closing') return
    state = 'closing'
    say('close', { reason })
  }

  const hearers: Record<string, (message: ServerMessage) => void> = {
    opened: ({ parameters }) => {
      if (state !== 'opening') throw new Error('received opened, which was not asked for')
      const chosen = JSON.stringify(parameters?.media)
      if (!offered.some((one) => JSON.stringify([one]) === chosen))
        throw new Error(`the gateway took media that were not offered: ${chosen}`)
      state = 'open'
      opened.resolve()
    },
    pong: () => {
      if (pingedAt === undefined) throw new Error('received a pong without a ping')
      pingedAt = undefined
      pong.resolve()
    },
    pause: () => {
      if (state === 'open') {
        state = 'paused'
        pausedAt = position
      }
      if (state === 'paused') say('paused', {})
    },
    resume: () => {
      if (state === 'paused') {
        state = 'open'
        say('resumed', { start: duration(pausedAt), discarded: duration(position - pausedAt) })
      } else if (state === 'open')
        say('resumed', { start: duration(position), discarded: duration(0) })
    },
    disconnect: ({ parameters }) => {
      sayClose('disconnect')
      const { reason, info = '' } = parameters ?? {}
      throw new Error(`the gateway disconnected the session: ${reason} ${info}`.trimEnd())
    },
    closed: () => {
      if (state !== 'closing') throw new Error('received closed, which was not asked for')
      closed.resolve()
    },
    event: () => {},
    updated: () => {},
    reconnect: () => {},
  }

  return {
    hear: (text) => {
      if (typeof text !== 'string') throw new Error('received bytes, where only JSON is allowed')
      const message: ServerMessage = JSON.parse(text)
      const { version, type, seq, clientseq } = message
      if (version !== '2' || message.id !== id)
        throw new Error(`received a message of another version or session: ${text}`)
      if (seq !== heardSequence + 1)
        throw new Error(`received seq ${String(seq)}, expected ${heardSequence + 1}`)
      heardSequence = seq
      if (typeof clientseq !== 'number' || clientseq > sequence)
        throw new Error(`received clientseq ${String(clientseq)}, but sent only ${sequence}`)
      const hear = hearers[String(type)]
      if (hear === undefined) throw new Error(`received a message of no known type: ${text}`)
      hear(message)
    },
    open: async (parameters) => {
      state = 'opening'
      offered = parameters.media
      say('open', parameters)
      await waitFor(opened.promise, openTimeoutMs, 'Timed out waiting for opened response')
    },
    advance: (seconds, bytes) => {
      position = Math.max(position, seconds)
      if (state !== 'open' || bytes.length === 0) return false
      send(bytes)
      return true
    },
    ping: async () => {
      if (pingedAt !== undefined) {
        const rest = pongTimeoutMs - (performance.now() - pingedAt)
        await waitFor(pong.promise, Math.max(0, rest), 'Timeout waiting for pong').catch(
          (error) => {
            say('error', { code: 408, message: 'Timeout waiting for pong' })
            throw error
          },
        )
      }
      pong = Promise.withResolvers()
      pingedAt = performance.now()
      say('ping', {})
    },
    close: async () => {
      sayClose('end')
      await waitFor(closed.promise, closeTimeoutMs, 'Close transaction timeout')
    },
  }
}

/** Seconds, such as `PT12.34S`; exact to a millisecond. */
function duration(seconds: number): string {
  return `PT${Number(seconds.toFixed(3))}S`
}
