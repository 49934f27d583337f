import Type from 'typebox'

/**
 * What a call may be called; also the pattern of the path parameter in OpenAPI. `history` is a route of its own
 * beside the calls (`GET /v1/call/history`), so a call of that name could never be read.
 */
export const callIdPattern = '^(?!history$)[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}$'

/** A call id in a body. */
export const CallIdField = Type.String({ pattern: callIdPattern })

/** The path parameter `call_id`. */
export const CallIdParameter = Type.Object({
  call_id: Type.String({
    pattern: callIdPattern,
    description:
      'The id the PBX gave the call: 1 to 128 letters, digits and . _ : ~ @ + -, not “history”',
    examples: ['CALL-0019'],
  }),
})
