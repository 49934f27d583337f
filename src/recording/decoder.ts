// What every codec's decoder is to the recording.

/** Turns packets of one track into linear samples. */
export type Decoder = {
  /** Never throws: what cannot be decoded is silence of the packet's length. */
  readonly decode: (payload: Uint8Array) => Int16Array
  /** Forgets the packets before. */
  readonly reset: () => Promise<void>
  readonly close: () => void
}
