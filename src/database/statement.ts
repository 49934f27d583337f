// One SQL statement, one function. A statement has a name under which the driver prepares it once per
// connection, a constant text, and the type of its rows beside it. `test/database/statement.test.ts` prepares
// every one of them against the migrated schema, so a typo in SQL is a red test and not a failed call.
import type { ClientBase, Pool } from 'pg'
import { DatabaseFailure } from './failure.ts'

/** Anything that runs a query: a pool, or one connection within a transaction. */
export type Queryable = Pick<Pool | ClientBase, 'query'>

/** What PostgreSQL takes as a parameter. */
export type Parameter = string | number | boolean | Date | Uint8Array | null | readonly Parameter[]

/** Runs the statement with its parameters `$1 …` in order; rejects with a {@link DatabaseFailure}. */
export type Statement<Parameters extends readonly Parameter[], Row> = (
  db: Queryable,
  ...parameters: Parameters
) => Promise<Row[]>

const texts = new Map<string, string>()

/** The texts of all statements by name, for the test that prepares them all. */
export const allStatements: ReadonlyMap<string, string> = texts

/**
 * Defines a statement.
 * @param name unique in the program; the name of the prepared statement
 * @param text the SQL, of a constant shape: values only as `$n`
 */
export function statement<Parameters extends readonly Parameter[], Row>(
  name: string,
  text: string,
): Statement<Parameters, Row> {
  if (texts.has(name)) throw new Error(`Two statements are named ${name}`)
  texts.set(name, text)
  return async (db, ...values) => {
    try {
      const result = await db.query({ name, text, values: [...values] })
      return result.rows as Row[]
    } catch (error) {
      throw new DatabaseFailure(name, error)
    }
  }
}
