// The checker at the end of every fault test: holds what clients were told (a history) against what
// the database has. Names are those of the project's invariants. Call it at rest: when no client is
// sending.
//
//   I1  every acknowledged packet is stored, bytes and timestamp equal, exactly once; of several
//       requests with one sequence the one that was told it is new is the one that is stored
//   I2  nothing is stored that was never sent, or whose every request was told that nothing was
//       stored
//   I4  the row of a track is what its segments add up to: numbers received, packets, base, missing
//   I5  the events of a call are a legal path with versions that have no gap, and end where the
//       call stands; positions of the feed are given in order, each once, without a gap
//   I6  at most one result a call, stored by the attempt that holds the newest fencing token;
//       attempts are numbered without a gap
//   I7  no call whose next step is overdue, and no attempt that is open without a lease
import assert from 'node:assert/strict'
import { isLegalTransition } from '../../src/calls/transitions.ts'
import type { Queryable } from '../../src/database/statement.ts'
import type { History, PacketRequest } from './history.ts'
import { readStored, type StoredCall, type StoredSegment, type StoredTrack } from './stored.ts'

/** Seconds: a step that is due for longer was forgotten. Wider than a lease and a poll. */
const longestOverdue = 8

/**
 * Fails with every violation found.
 * @param history all packet requests to this database; the checker takes what is not in it as never
 * sent
 */
export async function assertInvariants(db: Queryable, history: History): Promise<void> {
  const violations = await findViolations(db, history)
  const shown = violations.slice(0, 20).join('\n  ')
  assert.ok(violations.length === 0, `${violations.length} violations:\n  ${shown}`)
}

/** Every violation of an invariant, as `I1 call-7: …`. */
export async function findViolations(db: Queryable, history: History): Promise<string[]> {
  const calls = await readStored(db)
  const requests = Map.groupBy(history, ({ callId }) => callId)
  const found: string[] = []
  const stored = new Set(calls.map(({ call_id }) => call_id))
  for (const [callId, ofCall] of requests) {
    const lost = ofCall.filter(({ outcome }) => outcome === 'acknowledged').length
    if (lost > 0 && !stored.has(callId))
      found.push(`I1 ${callId}: the call is not there; ${lost} acknowledgements`)
  }
  for (const call of calls) {
    const told = (violation: string) =>
      found.push(`${violation.replace(' ', ` ${call.call_id}: `)}`)
    for (const check of [packets, accounts, path, results, liveness])
      for (const violation of check(call, requests.get(call.call_id) ?? [])) told(violation)
  }
  return [...found, ...feed(calls)]
}

type StoredPacket = { readonly timestamp: number; readonly data: string }

function* packets(call: StoredCall, requests: History): Generator<string> {
  const stored = new Map<number, StoredPacket>()
  for (const segment of call.segments)
    for (const { sequence, ...packet } of unpack(segment)) {
      if (stored.has(sequence)) yield `I1 packet ${sequence} is stored twice`
      stored.set(sequence, packet)
    }
  const sent = Map.groupBy(requests, ({ sequence }) => sequence)
  for (const [sequence, tries] of sent) yield* onePacket(sequence, tries, stored.get(sequence))
  for (const sequence of stored.keys())
    if (!sent.has(sequence)) yield `I2 packet ${sequence} was never sent`
}

function* onePacket(
  sequence: number,
  tries: readonly PacketRequest[],
  stored: StoredPacket | undefined,
): Generator<string> {
  const acknowledged = tries.filter(({ outcome }) => outcome === 'acknowledged')
  if (stored === undefined) {
    if (acknowledged.length > 0) yield `I1 packet ${sequence} was acknowledged and is lost`
    return
  }
  const possible = tries.filter(({ outcome }) => outcome !== 'refused')
  if (possible.length === 0) yield `I2 packet ${sequence} was refused and is stored`
  else if (!possible.some((request) => isEqual(request, stored)))
    yield `I1 packet ${sequence} is stored with other bytes or another timestamp`
  const asNew = acknowledged.filter(({ duplicate }) => !duplicate)
  if (asNew.length > 1) yield `I1 packet ${sequence} was called new ${asNew.length} times`
  if (asNew.length === 1 && asNew[0] !== undefined && !isEqual(asNew[0], stored))
    yield `I1 packet ${sequence} is not stored as the request that was told it is new`
}

function isEqual(request: PacketRequest, stored: StoredPacket): boolean {
  return request.data === stored.data && request.timestamp === stored.timestamp
}

function* unpack(segment: StoredSegment): Generator<StoredPacket & { sequence: number }> {
  let start = 0
  for (const [index, sequence] of segment.sequences.entries()) {
    const end = start + (segment.sizes[index] ?? Number.NaN)
    const data = segment.payload.subarray(start, end).toString()
    yield { sequence, timestamp: segment.timestamps[index] ?? Number.NaN, data }
    start = end
  }
}

function* accounts(call: StoredCall): Generator<string> {
  for (const segment of call.segments) {
    const bytes = segment.sizes.reduce((sum, size) => sum + size, 0)
    const whole =
      segment.sizes.length === segment.sequences.length &&
      segment.timestamps.length === segment.sequences.length &&
      bytes === segment.payload.length &&
      segment.first_sequence === Math.min(...segment.sequences) &&
      segment.last_sequence === Math.max(...segment.sequences)
    if (!whole) yield `I4 the segment from ${segment.first_sequence} contradicts itself`
  }
  const names = new Set([...call.segments, ...call.tracks].map(({ track }) => track))
  for (const name of names) {
    const sequences = call.segments.filter((s) => s.track === name).flatMap((s) => s.sequences)
    const track = call.tracks.find((candidate) => candidate.track === name)
    if (track === undefined) yield `I4 track ${name} has segments and no row`
    else yield* account(track, sequences)
  }
}

function* account(track: StoredTrack, sequences: readonly number[]): Generator<string> {
  const name = `I4 track ${track.track}:`
  const inSegments = new Set(sequences)
  const inAccount = new Set(
    [...track.spilled, ...track.received].flatMap(([f, e]) => numbers(f, e)),
  )
  const lost = sequences.filter((sequence) => !inAccount.has(sequence))
  const invented = [...inAccount].filter((sequence) => !inSegments.has(sequence))
  if (lost.length > 0) yield `${name} ${list(lost)} stored and not in the account`
  if (invented.length > 0) yield `${name} ${list(invented)} in the account and not stored`
  if (track.packets !== sequences.length)
    yield `${name} counts ${track.packets} packets, stored are ${sequences.length}`
  if (track.has_zero !== inSegments.has(0)) yield `${name} its base is wrong`
  const base = inSegments.has(0) ? 0 : 1
  const below = [...inSegments].filter((sequence) => sequence < track.horizon).length
  const missingBelow = Math.max(0, track.horizon - base - below)
  if (track.missing_below !== missingBelow)
    yield `${name} counts ${track.missing_below} missing below its horizon, not ${missingBelow}`
}

function numbers(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index)
}

function list(sequences: readonly number[]): string {
  return sequences.slice(0, 5).join(', ') + (sequences.length > 5 ? ' …' : '')
}

function* path(call: StoredCall): Generator<string> {
  let status: StoredCall['status'] | null = null
  let version = 0
  let hasResult = false
  for (const event of call.events) {
    if (event.kind === 'result') hasResult = true
    if (event.kind !== 'transition') continue
    version += 1
    const legal =
      status === null
        ? event.status === 'IN_PROGRESS'
        : isLegalTransition(status, event.status, hasResult)
    if (event.old_status !== status || !legal)
      yield `I5 ${event.old_status} to ${event.status} follows ${status}`
    if (event.version !== version) yield `I5 version ${event.version} is not ${version}`
    status = event.status
  }
  if (status !== call.status) yield `I5 its events end ${status}, but it is ${call.status}`
  if (version !== call.version) yield `I5 its events end at ${version}, but it is ${call.version}`
}

function* results(call: StoredCall): Generator<string> {
  const events = call.events.filter(({ kind }) => kind === 'result').length
  const succeeded = call.tries.filter(({ outcome }) => outcome === 'succeeded')
  if (events > 1 || succeeded.length !== events || call.has_result !== (events === 1))
    yield `I6 ${events} result events, ${succeeded.length} successes, result: ${call.has_result}`
  for (const { lease_token } of succeeded)
    if (lease_token !== call.lease_token)
      yield `I6 the result of token ${lease_token} is stored; the lease has ${call.lease_token}`
  if (call.tries.length !== call.attempts || call.tries.some((t, index) => t.number !== index + 1))
    yield `I6 ${call.attempts} attempts counted, ${call.tries.length} rows`
}

function* liveness(call: StoredCall): Generator<string> {
  if (call.overdue !== null && call.overdue > longestOverdue)
    yield `I7 ${call.status}, its next step due for ${call.overdue.toFixed(1)} s`
  const open = call.tries.filter(({ outcome }) => outcome === null).length
  const leased = call.status === 'PROCESSING_AI' && call.lease_owner !== null
  if (open !== (leased ? 1 : 0)) yield `I7 ${open} open attempts, leased: ${leased}`
}

function feed(calls: readonly StoredCall[]): string[] {
  const given = calls.flatMap(({ events }) => events.map(({ position }) => position ?? 0))
  const positions = given.filter((position) => position > 0).toSorted((a, b) => a - b)
  const wrong = positions.findIndex((position, index) => position !== index + 1)
  const gaps = wrong === -1 ? [] : [`I5 the feed has ${positions[wrong]} at place ${wrong + 1}`]
  const disordered = calls.filter(({ events }) =>
    events.some(({ position }, index) => {
      const before = index === 0 ? 0 : (events[index - 1]?.position ?? Number.POSITIVE_INFINITY)
      return position !== null && position <= before
    }),
  )
  return [
    ...gaps,
    ...disordered.map(({ call_id }) => `I5 ${call_id}: its positions disagree with its events`),
  ]
}
