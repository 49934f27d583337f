// The honest floor of NDJSON: a bare node:http server that splits the lines of a request, parses each and counts
// them, and stores nothing. Run as a process of its own; prints its port.
import { createServer } from 'node:http'

const server = createServer(async (request, response) => {
  let packets = 0
  let rest = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const packet = JSON.parse(line) as { sequence: number }
      if (packet.sequence >= 0) packets += 1
    }
  }
  const body = JSON.stringify({ packets, accepted: packets })
  response.writeHead(202, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(address.port)
})
