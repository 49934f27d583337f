import Type from 'typebox'

/** What a call may be called; also the pattern of the path parameter in OpenAPI. */
export const callIdPattern = '^[A-Za-z0-9][A-Za-z0-9._:~@+-]{0,127}$'

/** The path parameter `call_id`. */
export const CallIdParameter = Type.Object({
  call_id: Type.String({
    pattern: callIdPattern,
    description: 'The id the PBX gave the call: 1 to 128 letters, digits and . _ : ~ @ + -',
    examples: ['CALL-0019'],
  }),
})
