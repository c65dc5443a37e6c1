// @y/websocket-server with y-leveldb, put together as their READMEs say.
// usage: node y-websocket.mjs PORT DIRECTORY

import { createServer } from 'node:http'
import { setPersistence, setupWSConnection } from '@y/websocket-server/utils'
import { LeveldbPersistence } from 'y-leveldb'
import * as Y from 'yjs'
// The server brings a Yjs of its own, of another major version than the one that y-leveldb works with.
import * as serverY from './node_modules/@y/websocket-server/node_modules/yjs/src/index.js'
import ws from 'ws'

const [port, directory] = process.argv.slice(2)
const leveldb = new LeveldbPersistence(directory)
setPersistence({
  provider: leveldb,
  bindState: async (name, doc) => {
    const stored = await leveldb.getYDoc(name)
    leveldb.storeUpdate(name, serverY.encodeStateAsUpdate(doc))
    serverY.applyUpdate(doc, Y.encodeStateAsUpdate(stored))
    doc.on('update', (update) => { leveldb.storeUpdate(name, update) })
  },
  writeState: async () => {}
})

const sockets = new ws.Server({ noServer: true })
sockets.on('connection', setupWSConnection)
const server = createServer((_request, response) => response.end('okay'))
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (socket) => sockets.emit('connection', socket, request))
})
server.listen(Number(port), '127.0.0.1')
