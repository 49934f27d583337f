// Where audio is quietest, and whether that is silence. Pure.

/** A place between words. */
export type QuietPlace = {
  /** The sample in its middle. */
  readonly at: number
  readonly isSilent: boolean
}

const [blockSeconds, pauseBlocks] = [0.02, 15]
/** Against the loudness of all the audio, where people speak; and what is silence anyway, of 32768. */
const [silentShare, silentLevel] = [0.1, 40]

/**
 * The quietest 0.3 s of `samples` from `from` on, the last of several that are equally quiet.
 * @param rate samples a second
 */
export function quietestPlace(samples: Int16Array, from: number, rate: number): QuietPlace {
  const block = Math.max(1, Math.round(rate * blockSeconds))
  const energies: number[] = []
  for (let at = from; at + block <= samples.length; at += block)
    energies.push(energyOf(samples, at, at + block))
  const length = Math.min(pauseBlocks, energies.length)
  if (length === 0) return { at: samples.length, isSilent: false }

  let energy = energies.slice(0, length).reduce((sum, value) => sum + value, 0)
  let best = { energy, first: 0 }
  for (let first = 1; first + length <= energies.length; first += 1) {
    energy += (energies[first + length - 1] ?? 0) - (energies[first - 1] ?? 0)
    if (energy <= best.energy) best = { energy, first }
  }
  const loudness = Math.sqrt(best.energy / (length * block))
  const usual = Math.sqrt(energyOf(samples, 0, samples.length) / samples.length)
  return {
    at: from + Math.round((best.first + length / 2) * block),
    isSilent: loudness <= Math.max(silentLevel, silentShare * usual),
  }
}

function energyOf(samples: Int16Array, from: number, to: number): number {
  let energy = 0
  for (let at = from; at < to; at += 1) energy += (samples[at] ?? 0) ** 2
  return energy
}
