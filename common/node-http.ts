/**
 * `node:http` as a process gets it that must stay small: to `import` it runs each of its getters, one of which loads Node's
 * whole fetch and WebSocket, 12 MB and 25 ms of processor time that an agent has no use for.
 */
export const { createServer, request } = process.getBuiltinModule('node:http')
