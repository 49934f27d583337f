// How much audio may wait for the database in this process. Media is never made to wait: what finds no room
// is lost, and accounted as lost.

/** The room for audio on its way to the database, in bytes, of all streams together. */
export class MediaBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Takes room, if there is enough. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}
