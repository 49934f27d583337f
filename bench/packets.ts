// Durable packets a second, one a POST, beside the bare server, in interleaved rounds.
import pg from 'pg'
import type { LoadFigures } from './load.ts'
import { type Listening, runLoad, startBareServer } from './processes.ts'

const connections = 64
const calls = 500
const rounds = 5
const seconds = 4

/** What the comparison found; figures are of the median round. */
export type PacketFigures = {
  readonly gateway: LoadFigures
  readonly bare: LoadFigures
  /** The median of the rounds' ratios, gateway to bare server. */
  readonly ratio: number
  /** Acknowledged packets that are not in the database; must be 0. */
  readonly lost: number
}

/** Measures against a running gateway, whose database is counted afterwards. */
export async function measurePackets(
  gateway: Listening,
  databaseUrl: string,
): Promise<PacketFigures> {
  const bare = await startBareServer()
  await runLoad(bare.url, 'warm', connections, calls, 2)
  await runLoad(gateway.url, 'warm', connections, calls, 2)
  const measured: { gateway: LoadFigures; bare: LoadFigures }[] = []
  for (let round = 1; round <= rounds; round += 1)
    measured.push({
      bare: await runLoad(bare.url, `round-${round}`, connections, calls, seconds),
      gateway: await runLoad(gateway.url, `round-${round}`, connections, calls, seconds),
    })
  await bare.stop()
  const byRatio = measured.toSorted((a, b) => ratioOf(a) - ratioOf(b))
  const median = byRatio[Math.floor(rounds / 2)]
  if (median === undefined) throw new Error('nothing was measured')
  const acknowledged = measured.reduce(
    (sum, round) => sum + round.gateway.answered - round.gateway.refused,
    0,
  )
  return {
    ...median,
    ratio: ratioOf(median),
    lost: acknowledged - (await countPackets(databaseUrl)),
  }
}

function ratioOf(round: { gateway: LoadFigures; bare: LoadFigures }): number {
  return round.gateway.perSecond / round.bare.perSecond
}

async function countPackets(databaseUrl: string): Promise<number> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const { rows } = await client.query<{ packets: string }>(
    `SELECT sum(cardinality(sequences)) AS packets FROM segments JOIN calls ON calls.id = call
     WHERE call_id LIKE 'round-%'`,
  )
  await client.end()
  return Number(rows[0]?.packets)
}
