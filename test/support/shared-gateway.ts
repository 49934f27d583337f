import { after } from 'node:test'
import { createDatabase, type TestDatabase } from './database.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'

/** A gateway and its database, for all tests of a file. */
export type SharedGateway = {
  readonly database: TestDatabase
  readonly gateway: GatewayProcess
}

/**
 * Starts one gateway, on a database of its own, for the tests of a file; both end with the file. The tests use
 * different call ids, so none of them depends on another.
 */
export async function sharedGateway(
  settings: Readonly<Record<string, string>> = {},
): Promise<SharedGateway> {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const database = stack.use(await createDatabase())
  const gateway = stack.use(await startGateway(database.url, settings))
  return { database, gateway }
}
