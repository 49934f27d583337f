// The two numbered sequences of messages of an AudioHook session: each side numbers its own, without a gap, and says
// which one of the other's it has heard last.
import { parseMessage } from '../media/message.ts'
import { ProtocolViolation } from '../media/protocol.ts'
import { type Envelope, readEnvelope } from './genesys-messages.ts'

/** One session, seen from the server. */
export class Dialogue {
  readonly #send: (message: string) => void
  #id: string | undefined
  #sent = 0
  #heard = 0

  /** @param id of the session, if that is known; else the first message tells it */
  constructor(id: string | undefined, send: (message: string) => void) {
    this.#id = id
    this.#send = send
  }

  /** The session; `undefined` when nobody has said which one it is. */
  get id(): string | undefined {
    return this.#id
  }

  /**
   * The next message.
   * @throws ProtocolViolation when it is no message, of another session, or out of turn
   */
  hear(text: string): Envelope {
    const message = readEnvelope(parseMessage(text))
    const { id, seq, serverseq } = message
    this.#id ??= id
    if (id !== this.#id) throw new ProtocolViolation(`id should be ${this.#id}, but is ${id}`)
    if (seq !== this.#heard + 1)
      throw new ProtocolViolation(`seq should be ${this.#heard + 1}, but is ${seq}`)
    this.#heard = seq
    if (serverseq > this.#sent)
      throw new ProtocolViolation(`serverseq should be at most ${this.#sent}, but is ${serverseq}`)
    return message
  }

  /** Says something. */
  say(type: string, parameters: Readonly<Record<string, unknown>> = {}): void {
    this.#sent += 1
    const numbers = { seq: this.#sent, clientseq: this.#heard }
    this.#send(JSON.stringify({ version: '2', id: this.#id, type, ...numbers, parameters }))
  }
}
