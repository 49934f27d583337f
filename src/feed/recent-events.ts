// The newest events with their texts, so that those who come back after a moment need not be served from the log.
import type { StreamEvent } from './stream-event.ts'

const mostCharacters = 2 ** 22

/** What was streamed last; bounded by the length of the texts. */
export class RecentEvents {
  #events: StreamEvent[] = []
  #characters = 0
  /** All events after it are here. */
  #since: number | undefined

  /** Adds what follows a position; what is too old goes. */
  add(before: number, events: readonly StreamEvent[]): void {
    this.#since ??= before
    for (const event of events) this.#characters += event.text.length
    this.#events.push(...events)
    if (this.#characters <= mostCharacters) return
    // Half at once, so that this is seldom.
    let dropped = 0
    for (const event of this.#events) {
      if (this.#characters <= mostCharacters / 2) break
      this.#characters -= event.text.length
      this.#since = event.position
      dropped += 1
    }
    this.#events = this.#events.slice(dropped)
  }

  /** All events after a position; undefined when they are not all here. */
  after(position: number): readonly StreamEvent[] | undefined {
    if (this.#since === undefined || position < this.#since) return undefined
    const first = this.#events.findLastIndex((event) => event.position <= position) + 1
    return this.#events.slice(first)
  }

  clear(): void {
    this.#events = []
    this.#characters = 0
    this.#since = undefined
  }
}
