// WebSocket frames as a server sends them (RFC 6455, 5.2): not masked and, since nobody is offered compression,
// not compressed, so a message is the same bytes for every client.

const finalText = 0x81

/** A text message as one frame. */
export function textFrame(message: string): Buffer {
  const length = Buffer.byteLength(message)
  const header = length < 126 ? 2 : length < 2 ** 16 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = finalText
  if (header === 2) frame[1] = length
  else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(message, header)
  return frame
}
