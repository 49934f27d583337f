// AsyncAPI 3: the feed over WebSocket and Server-Sent Events, and the packet streams. Pure.

/** The AsyncAPI document of a gateway. */
export function describeChannels(version: string): Readonly<Record<string, unknown>> {
  return { asyncapi: '3.0.0', info: { title: 'AI PBX Gateway', version } }
}
