// What many ask for at once is read once.

/** Bounds of what is kept for those who ask a moment later. */
export type ShareOptions = {
  /** For so many milliseconds after it was read. */
  readonly forMs: number
  /** So many at most; the oldest go. */
  readonly most: number
}

/** Makes equal questions share one answer. A failure is shared by those who wait for it, and by nobody after them. */
export function share<Value>({ forMs, most }: ShareOptions) {
  const kept = new Map<string, Promise<Value>>()
  return (key: string, read: () => Promise<Value>): Promise<Value> => {
    const known = kept.get(key)
    if (known !== undefined) return known
    const value = read()
    kept.set(key, value)
    const [oldest = key] = kept.keys()
    if (kept.size > most) kept.delete(oldest)
    const forget = () => {
      if (kept.get(key) === value) kept.delete(key)
    }
    value.then(() => setTimeout(forget, forMs).unref(), forget)
    return value
  }
}
