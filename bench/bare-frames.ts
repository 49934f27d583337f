// The honest floor of AudioSocket: a bare TCP server that finds the frames and counts those of audio, and stores
// nothing. Run as a process of its own; prints its port, and at its end what it counted.
import { createServer } from 'node:net'

const headerBytes = 3
const firstAudioType = 0x10

let frames = 0

const server = createServer({ noDelay: true }, (socket) => {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (bytes.length - at >= headerBytes) {
      const end = at + headerBytes + bytes.readUInt16BE(at + 1)
      if (end > bytes.length) break
      if (bytes.readUInt8(at) >= firstAudioType) frames += 1
      at = end
    }
    rest = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at)
  })
  socket.on('error', () => socket.destroy())
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(address.port)
})

process.on('SIGTERM', () => {
  console.log(`${frames} frames`)
  process.exit()
})
