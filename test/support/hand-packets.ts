// Packets handed to a group commit by hand, and what their senders have been told so far.
import assert from 'node:assert/strict'
import type { GatewayError } from '../../src/errors.ts'
import { type PacketChange, packetOf } from './calls.ts'
import type { Batch, HandCommit } from './hand-commit.ts'

/** A packet on its way; `told` is its receipt, or the code of the refusal. */
export type Sent = { told: string | undefined }

/** Sends a packet. */
export function send(
  hand: HandCommit,
  callId: string,
  sequence: number,
  change: PacketChange = {},
): Sent {
  const sent: Sent = { told: undefined }
  hand.commits.store(packetOf(callId, sequence, change)).then(
    (receipt) => {
      sent.told = receipt
    },
    (error: GatewayError) => {
      sent.told = error.code
    },
  )
  return sent
}

/** What the senders have been told. */
export function told(sent: readonly Sent[]): (string | undefined)[] {
  return sent.map((one) => one.told)
}

/** The batch in flight, which there must be. */
export async function next(hand: HandCommit): Promise<Batch> {
  const batch = await hand.inFlight()
  assert.ok(batch, 'no batch is in flight')
  return batch
}
