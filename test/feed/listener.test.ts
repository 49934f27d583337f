// The listening connection dies; events still arrive.
