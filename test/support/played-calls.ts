// Calls of real speech, played to a gateway at once as a PBX would.
import {
  defaultSimulation,
  type RunOptions,
  runSimulation,
  simulationExit,
} from '../../src/simulator/simulation.ts'

/**
 * Plays calls over Twilio's protocol, with a little loss, and waits until they are analysed.
 * @returns their call ids
 */
export async function playCalls(
  url: string,
  calls: number,
  change: Partial<RunOptions> = {},
): Promise<readonly string[]> {
  const before = await callIds(url)
  let output = ''
  const options = {
    ...defaultSimulation,
    url,
    calls,
    protocol: 'twilio',
    rate: 0,
    seed: 7,
    ...change,
  }
  const exit = await runSimulation(
    options,
    { write: (text) => (output += text) },
    new AbortController().signal,
  )
  if (exit !== simulationExit.agrees)
    throw new Error(`the simulation ended with ${exit}: ${output}`)
  return (await callIds(url)).filter((id) => !before.includes(id))
}

async function callIds(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/call/history?limit=100`)
  const { calls } = (await response.json()) as { calls: { call_id: string }[] }
  return calls.map(({ call_id }) => call_id)
}
