// The honest floor of the WebSocket: a bare `ws` server that counts messages (parsing those that are JSON) and
// acknowledges them in the gateway's words 50 times a second, and stores nothing. Run as a process of its own;
// prints its port.
import { WebSocketServer } from 'ws'

const ackEveryMs = 20

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(address.port)
})

type Heard = { readonly callId: string; packets: number; through: number; told: number }

server.on('connection', (socket, request) => {
  const channels: Heard[] = []
  const open = (channel: number, callId: string) => {
    channels[channel] = { callId, packets: 0, through: 0, told: 0 }
  }
  open(0, request.url?.split('/').at(-1) ?? '')
  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      const frame = data as Buffer
      hear(channels[frame.readUInt16BE(2)], Number(frame.readBigUInt64BE(4)))
      return
    }
    const message = JSON.parse(String(data)) as Packet | Open
    if ('type' in message) open(message.channel, message.call_id)
    else hear(channels[0], message.sequence)
  })
  const timer = setInterval(() => {
    for (const heard of channels) {
      if (heard.packets === heard.told) continue
      heard.told = heard.packets
      const { callId, through, packets } = heard
      socket.send(JSON.stringify({ type: 'ack', call_id: callId, through, packets }))
    }
  }, ackEveryMs)
  socket.on('close', () => clearInterval(timer))
})

type Packet = { readonly sequence: number }
type Open = { readonly type: 'open'; readonly channel: number; readonly call_id: string }

function hear(heard: Heard | undefined, sequence: number): void {
  if (heard === undefined) return
  heard.packets += 1
  heard.through = sequence
}
