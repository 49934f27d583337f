// The honest floor of the WebSocket: a bare `ws` server that counts messages (parsing those that are JSON) and
// acknowledges them in the gateway's words 50 times a second, and stores nothing. Run as a process of its own;
// prints its port.
import { WebSocketServer } from 'ws'

const ackEveryMs = 20

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(address.port)
})

server.on('connection', (socket) => {
  let packets = 0
  let through = 0
  let told = 0
  socket.on('message', (data, isBinary) => {
    packets += 1
    if (isBinary) through = Number((data as Buffer).readBigUInt64BE(4))
    else through = (JSON.parse(String(data)) as { sequence: number }).sequence
  })
  const timer = setInterval(() => {
    if (packets === told) return
    told = packets
    socket.send(JSON.stringify({ type: 'ack', through, packets }))
  }, ackEveryMs)
  socket.on('close', () => clearInterval(timer))
})
