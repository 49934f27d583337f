// What a desk knows: a snapshot, and every event after it laid over it.
import assert from 'node:assert/strict'
import type { StreamedEvent } from './event-stream.ts'

/** A line of the floor as it came. */
export type FloorLine = Readonly<Record<string, unknown>> & {
  readonly call_id: string
  readonly status: string
}

/** The floor as it came. */
export type FloorReply = {
  readonly position: number
  readonly calls: readonly FloorLine[]
  readonly counts: Readonly<Record<string, number>>
}

/** What a desk knows after some events. */
export type FloorModel = {
  readonly calls: ReadonlyMap<string, FloorLine>
  /** Right as long as no call was erased: what it went through until then is nowhere to be read. */
  readonly counts: Readonly<Record<string, number>>
  readonly position: number
}

/** Reads the floor of a gateway. */
export async function readFloor(url: string, query = ''): Promise<FloorReply> {
  const response = await fetch(`${url}/v1/floor${query}`)
  assert.equal(response.status, 200)
  return (await response.json()) as FloorReply
}

/** Lays events over the snapshot that comes first among them, and over each later one. */
export function layOver(stream: readonly StreamedEvent[]): FloorModel {
  const calls = new Map<string, FloorLine>()
  let counts: Record<string, number> = {}
  let position = -1
  for (const { id, name, data } of stream) {
    if (name === 'snapshot') {
      const floor = data as unknown as FloorReply
      calls.clear()
      for (const call of floor.calls) calls.set(call.call_id, call)
      counts = { ...floor.counts }
      position = floor.position
      continue
    }
    if (id === undefined) continue
    assert.ok(id > position, `${id} comes after ${position}`)
    position = id
    const callId = String(data.call_id)
    if (data.call === null) calls.delete(callId)
    else calls.set(callId, data.call as FloorLine)
    if (name !== 'call_update') continue
    const { previous_status: before } = data.data as { previous_status: string | null }
    if (before !== null) counts[before] = (counts[before] ?? 0) - 1
    const status = String(data.status)
    counts[status] = (counts[status] ?? 0) + 1
  }
  return { calls, counts, position }
}
