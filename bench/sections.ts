// The sections of `npm run bench`, in the order of the report. Each is loaded when it is measured.
import type { Measure } from './run.ts'

export const sections: Readonly<Record<string, Measure>> = {
  packets: async (bench) => (await import('./sections/packets.ts')).measurePackets(bench),
  streams: async (bench) => (await import('./sections/streams.ts')).measureStreams(bench),
  live: async (bench) => (await import('./sections/live.ts')).measureLive(bench),
  audiosocket: async (bench) =>
    (await import('./sections/audiosocket.ts')).measureAudioSocket(bench),
  feed: async (bench) => (await import('./sections/feed.ts')).measureFeedSection(bench),
  reconnect: async (bench) => (await import('./sections/reconnect.ts')).measureReconnect(bench),
  analysis: async (bench) => (await import('./sections/analysis.ts')).measureAnalysis(bench),
  scale: async (bench) => (await import('./sections/scale.ts')).measureScale(bench),
  overload: async (bench) => (await import('./sections/overload.ts')).measureOverload(bench),
  workers: async (bench) => (await import('./sections/workers.ts')).measureWorkers(bench),
  start: async (bench) => (await import('./sections/start.ts')).measureStart(bench),
}
