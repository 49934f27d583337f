// Services that are called compatible differ in the forms of an answer that they know. The best one is asked for
// first; a service that refuses it is asked for the next, and is not asked in vain again.
import { ServiceRefusal } from './refusal.ts'

/** A form of an answer, by its name in the API. */
export type AnswerFormats<F extends string> = {
  /** Calls `ask` with the best form that the service has not refused yet. */
  readonly ask: <T>(
    idempotencyKey: string,
    ask: (format: F, idempotencyKey: string) => Promise<T>,
  ) => Promise<T>
}

const refusals = new Set([400, 415, 422, 500])
const aboutFormat =
  /response_?format|without_timestamps|json_schema|json_object|verbose_json|structured output/i

/** @param formats the best first */
export function rememberFormats<F extends string>(formats: readonly [F, ...F[]]): AnswerFormats<F> {
  const best = formats[0]
  let remembered: F = best
  return {
    ask: async (idempotencyKey, ask) => {
      let format = remembered
      while (true) {
        try {
          // Another format is another request, whose repetitions are its own.
          return await ask(format, format === best ? idempotencyKey : `${idempotencyKey}:${format}`)
        } catch (error) {
          const next = formats[formats.indexOf(format) + 1]
          if (next === undefined || !isAboutFormat(error)) throw error
          format = next
          remembered = next
        }
      }
    },
  }
}

function isAboutFormat(error: unknown): boolean {
  return (
    error instanceof ServiceRefusal && refusals.has(error.status) && aboutFormat.test(error.says)
  )
}
