// The honest floor: a bare node:http server that reads the same request, parses the same JSON and sends the same
// answer, and stores nothing. Run as a process of its own; prints its port.
import { createServer } from 'node:http'

type Packet = { sequence: number; data: string; timestamp: number }

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const packet = JSON.parse(Buffer.concat(chunks).toString()) as Packet
    const body = JSON.stringify({
      call_id: request.url?.slice('/v1/call/stream/'.length),
      sequence: packet.sequence,
      status: 'accepted',
      received_at: new Date().toISOString(),
      message: `Packet ${packet.sequence} received successfully`,
      duplicate: false,
      late: false,
      missing_packets: '',
    })
    response.writeHead(202, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(address.port)
})
