import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seededRandom } from '../../src/random.ts'
import { createGatewayClient } from '../../src/simulator/gateway-client.ts'
import { loadRecordings, packetBytes, type Recording } from '../../src/simulator/recordings.ts'
import { planCalls, simulate } from '../../src/simulator/simulate.ts'
import { defaultSimulation, runSimulation, simulationExit } from '../../src/simulator/simulation.ts'
import { type FakeGatewayOptions, startFakeGateway } from './fake-gateway.ts'
import { createVirtualClock } from './virtual-clock.ts'

const shortPackets = 120
const rough = { ...defaultSimulation, calls: 4, loss: 0.1, reorder: 0.2, duplicates: 0.1, seed: 5 }

async function shortRecordings(): Promise<Recording[]> {
  const recordings = await loadRecordings()
  return recordings.map((recording) => ({
    ...recording,
    audio: recording.audio.subarray(0, shortPackets * packetBytes),
  }))
}

async function play(t: TestContext, gatewayOptions: FakeGatewayOptions, change = {}) {
  const gateway = await startFakeGateway(gatewayOptions)
  const clock = createVirtualClock()
  const random = seededRandom(1)
  const client = createGatewayClient({ url: gateway.url, clock, random, signal: t.signal })
  t.after(async () => {
    client.close()
    await gateway[Symbol.asyncDispose]()
  })
  const options = { ...rough, url: gateway.url, ...change }
  const recordings = await shortRecordings()
  const parts = { recordings, client, clock, run: 'test', onProgress: () => {} }
  const outcomes = await simulate(options, parts, t.signal)
  return { gateway, outcomes, planned: planCalls(options, recordings, 'test') }
}

test('an honest gateway agrees on every packet of a rough network', async (t) => {
  const { gateway, outcomes, planned } = await play(t, {})
  assert.equal(outcomes.length, 4)
  for (const [index, outcome] of outcomes.entries()) {
    const plan = planned[index]?.plans[0]
    assert.ok(plan !== undefined && plan.dropped.length > 0 && plan.duplicated.length > 0)
    assert.deepEqual(outcome.differences, [])
    assert.equal(outcome.state, 'ARCHIVED')
    assert.equal(outcome.sentiment, 'positive')
    assert.equal(outcome.sent, plan.sent)
    assert.equal(outcome.acknowledged, plan.sent)
    assert.equal(outcome.missing, plan.missing.length)
    assert.equal(gateway.calls.get(outcome.id)?.stored.size, plan.sent)
  }
})

test('as fast as the gateway takes packets', async (t) => {
  const { outcomes } = await play(t, {}, { rate: 0 })
  assert.deepEqual(
    outcomes.flatMap(({ differences }) => differences),
    [],
  )
})

test('a full queue and broken connections cost nothing', async (t) => {
  const { outcomes } = await play(t, { disturbEvery: 31 })
  for (const { sent, acknowledged, differences } of outcomes) {
    assert.deepEqual(differences, [])
    assert.equal(acknowledged, sent)
  }
})

test('a gateway that loses one acknowledged packet is found out', async (t) => {
  const { outcomes } = await play(t, { forget: 50 }, { loss: 0 })
  for (const { differences } of outcomes)
    assert.deepEqual(differences, [
      'account differs: total_packets is 119, but 120 were acknowledged',
      'account differs: reported missing, but acknowledged: 50',
    ])
})

test('a refused packet ends its call and is told with the answer', async (t) => {
  const { outcomes } = await play(t, { refuse: 50 }, { loss: 0, calls: 1 })
  const differences = outcomes[0]?.differences.join('\n') ?? ''
  assert.match(differences, /POST \/v1\/call\/stream\/sim-test-1\S*: 422 .*refused/)
  assert.match(differences, /1 packet was sent and never acknowledged/)
})

test('a gateway that is full for a minute is given up', async (t) => {
  const { outcomes } = await play(t, { disturbEvery: 1 }, { calls: 1 })
  assert.match(outcomes[0]?.differences[0] ?? '', /gave up after 60 s, the last answer: 503/)
  assert.equal(outcomes[0]?.acknowledged, 0)
})

test('a call that is not archived in time is a difference', async (t) => {
  const { outcomes } = await play(t, { readsUntilArchived: 1e9 }, { calls: 1 })
  assert.deepEqual(outcomes[0]?.differences, ['its state is COMPLETED, not ARCHIVED, after 180 s'])
})

test('the same seed plans the same calls, another seed other calls', async () => {
  const recordings = await shortRecordings()
  const plansOf = (seed: number) =>
    planCalls({ ...rough, seed }, recordings, 'x').map(({ plans }) => plans)
  assert.deepEqual(plansOf(5), plansOf(5))
  assert.notDeepEqual(plansOf(5), plansOf(6))
})

function createOutput() {
  let written = ''
  return {
    columns: 80,
    write: (text: string) => {
      written += text
    },
    text: () => written,
  }
}

test('a run writes the seed, a table that fits, every transcript and a verdict', async (t) => {
  await using gateway = await startFakeGateway()
  const output = createOutput()
  const options = { ...defaultSimulation, url: gateway.url, calls: 2, rate: 0, seed: 11 }
  const code = await runSimulation(options, output, t.signal, createVirtualClock())
  assert.equal(code, simulationExit.agrees)
  const text = output.text()
  assert.match(text, /--seed 11\n/)
  assert.match(text, /Customer: +I am happy\./)
  assert.match(text, /2 of 2 calls are accounted for exactly/)
  const table = text.split('\n').filter((line) => /^(call|─|sim-\S+ +\d)/.test(line))
  assert.equal(table.length, 4)
  assert.ok(table.every((line) => line.length <= 80))
})

test('a run against a gateway that loses a packet says which, and exits with 1', async (t) => {
  await using gateway = await startFakeGateway({ forget: 100 })
  const output = createOutput()
  const options = { ...defaultSimulation, url: gateway.url, calls: 1, rate: 0, loss: 0 }
  const code = await runSimulation(options, output, t.signal, createVirtualClock())
  assert.equal(code, simulationExit.differs)
  assert.match(output.text(), /! account differs: reported missing, but acknowledged: 100\n/)
  assert.match(output.text(), /1 of 1 calls differ: sim-/)
})

test('an interrupted run says what is unfinished, and exits with 130', async () => {
  await using gateway = await startFakeGateway({ readsUntilArchived: 1e9 })
  const interruption = new AbortController()
  const output = createOutput()
  const write = (text: string) => {
    output.write(text)
    if (text.includes('analysis 1')) interruption.abort()
  }
  const options = { ...defaultSimulation, url: gateway.url, calls: 1, rate: 0 }
  const clock = createVirtualClock()
  const code = await runSimulation(options, { write }, interruption.signal, clock)
  assert.equal(code, simulationExit.interrupted)
  assert.match(output.text(), /Interrupted; 1 of 1 calls are unfinished:\n +sim-\S+ +all packets/)
})

test('where no gateway answers, the command that starts one is named', async (t) => {
  const gateway = await startFakeGateway()
  await gateway[Symbol.asyncDispose]()
  const run = runSimulation({ ...defaultSimulation, url: gateway.url }, createOutput(), t.signal)
  await assert.rejects(run, {
    name: 'StartupError',
    message: `No gateway answers at ${gateway.url} (connection refused). Start one with: npm start`,
  })
})
