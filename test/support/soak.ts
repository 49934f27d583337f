// The sizes of the tests that are long by nature: short with all the others, long by `npm run test:soak`.

/** The size of a test. */
export function sized(short: number, long: number): number {
  return process.env.SOAK === '1' ? long : short
}
