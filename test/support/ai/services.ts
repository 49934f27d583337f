// The services whose wire formats are tested under load, by their names in AI_PROVIDERS.
import type { AiServer, Fault } from './ai-server.ts'
import { asksDeepgram, asksOpenAi } from './audio-calls.ts'
import { deepgramErrors, startDeepgramServer } from './deepgram-server.ts'
import { says } from './faults.ts'
import { refuse, startOpenAiServer } from './openai-server.ts'

/** A service in its own words. */
export type TestService = {
  readonly start: () => Promise<AiServer>
  /** Settings of a gateway that asks a server of it. */
  readonly settings: (url: string) => Record<string, string>
  /** Refuses a request. */
  readonly refusal: (status: number, headers?: Readonly<Record<string, string>>) => Fault
}

const deepgramKey = 'dg-key'

/** All of them. */
export const services: Readonly<Record<'openai' | 'deepgram', TestService>> = {
  openai: {
    start: () => startOpenAiServer(),
    settings: asksOpenAi,
    refusal: (status, headers) => says(refuse('openai', status, 'no', null, headers)),
  },
  deepgram: {
    start: () => startDeepgramServer(deepgramKey),
    settings: (url) => asksDeepgram(url, deepgramKey),
    refusal: (status, headers = {}) => says({ ...deepgramErrors.code(status, 'no'), headers }),
  },
}
