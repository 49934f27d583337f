// What a failed statement means, so that callers decide by kind and never by a text of the driver.
import pg from 'pg'

/**
 * - `data`: the statement can never succeed with these values
 * - `lock`: it waited too long for a lock held by another session; nothing was done
 * - `unavailable`: the database is not there, not open to us, shutting down, read-only or out of resources; a
 *   commit that was under way may or may not have happened
 */
export type FailureKind = 'data' | 'lock' | 'unavailable'

/** A statement that failed. Its message names the statement and never its values. */
export class DatabaseFailure extends Error {
  readonly kind: FailureKind
  /** PostgreSQL's error code, or `undefined` when the connection failed. */
  readonly sqlState: string | undefined

  constructor(statementName: string, cause: unknown) {
    const sqlState = cause instanceof pg.DatabaseError ? cause.code : undefined
    super(`${statementName} failed (${sqlState ?? 'connection'})`, { cause })
    this.name = 'DatabaseFailure'
    this.sqlState = sqlState
    this.kind = kindOf(sqlState)
  }
}

/** The kind of any error of a database operation; what is not the database's is `data`. */
export function failureKind(error: unknown): FailureKind {
  return error instanceof DatabaseFailure ? error.kind : 'data'
}

/** By SQLSTATE: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes". */
function kindOf(sqlState: string | undefined): FailureKind {
  if (sqlState === undefined) return 'unavailable'
  if (/^(55P03|57014|40P01|40001)$/.test(sqlState)) return 'lock'
  // 28, 3D, 55: the server does not let us in (no login, no such database, closed for maintenance).
  return /^(08|25|28|3D|53|55|57|58|XX)/.test(sqlState) ? 'unavailable' : 'data'
}
