// Drives unmodified Yjs clients for a Python test: one JSON command per line on stdin, one JSON answer per line on
// stdout. A command is {id, do, client, ...}; its answer {id, ok} or {id, error}. Events come as {event, client, ...}.

import { createInterface } from 'node:readline'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import * as v3 from 'hocuspocus-provider-v3'
import * as decoding from 'lib0/decoding'
import WebSocket from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'

const clients = new Map()
const sockets = new Map() // shared Hocuspocus sockets, by name
const SYNC_STATUS = 8

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'))

function connectYWebsocket (name, { url, doc, token, ack, resync }) {
  const ydoc = new Y.Doc()
  const client = { kind: 'y-websocket', ydoc, saved: 0, refused: 0, sent: 0, closes: [] }
  const params = { ...(token ? { token } : {}), ...(ack ? { ack: '1' } : {}) }
  const provider = new WebsocketProvider(url, doc, ydoc, {
    params, WebSocketPolyfill: WebSocket, disableBc: true, connect: false, ...(resync ? { resyncInterval: resync } : {})
  })
  // What a client that asked for acknowledgements does with them.
  provider.messageHandlers[SYNC_STATUS] = (_encoder, decoder) => {
    if (decoding.readVarUint(decoder) === 1) client.saved++
    else client.refused++
  }
  ydoc.on('update', (_update, origin) => { if (origin !== provider && provider.wsconnected) client.sent++ })
  provider.on('connection-close', (event) => {
    if (event !== null) client.closes.push({ code: event.code, reason: String(event.reason) })
    client.saved = client.sent = 0
  })
  Object.assign(client, {
    provider,
    awareness: provider.awareness,
    synced: () => provider.synced,
    // The step 2 that answers the server's step 1 is acknowledged as well.
    isSaved: () => provider.synced && client.saved >= client.sent + 1,
    connect: () => provider.connect(),
    disconnect: () => provider.disconnect(),
    destroy: () => { provider.destroy(); ydoc.destroy() }
  })
  provider.connect()
  return client
}

function connectHocuspocus (name, { url, doc, token, version, socket, sessions, delay }) {
  const ydoc = new Y.Doc()
  const library = version === 3 ? v3 : { HocuspocusProvider, HocuspocusProviderWebsocket }
  const client = { kind: `hocuspocus-${version}`, ydoc, closes: [], denied: [], scope: null }
  let websocketProvider = socket && sockets.get(socket)
  if (!websocketProvider) {
    websocketProvider = new library.HocuspocusProviderWebsocket({
      url, WebSocketPolyfill: WebSocket, delay: delay ?? 100, minDelay: delay ?? 100, maxDelay: 500
    })
    websocketProvider.on('close', ({ event }) => client.closes.push({ code: event.code, reason: String(event.reason) }))
    if (socket) sockets.set(socket, websocketProvider)
  }
  const provider = new library.HocuspocusProvider({
    name: doc,
    document: ydoc,
    token,
    websocketProvider,
    ...(sessions ? { sessionAwareness: true } : {}),
    onAuthenticated: ({ scope }) => { client.scope = scope ?? provider.authorizedScope },
    onAuthenticationFailed: ({ reason }) => client.denied.push(reason)
  })
  provider.attach()
  Object.assign(client, {
    provider,
    awareness: provider.awareness,
    synced: () => provider.synced,
    isSaved: () => provider.synced && provider.unsyncedChanges === 0,
    connect: () => websocketProvider.connect(),
    disconnect: () => websocketProvider.disconnect(),
    destroy: () => { provider.destroy(); if (!socket) websocketProvider.destroy(); ydoc.destroy() }
  })
  return client
}

const until = async (what, ready, ms) => {
  const end = Date.now() + ms
  while (!ready()) {
    if (Date.now() > end) throw new Error(`timed out: ${what()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const describe = (client) => ({
  kind: client.kind,
  synced: client.synced(),
  saved: client.isSaved(),
  acknowledged: client.saved ?? null,
  refused: client.refused ?? null,
  unsynced: client.provider.unsyncedChanges ?? null,
  closes: client.closes,
  denied: client.denied ?? [],
  scope: client.scope ?? null,
  clientId: client.ydoc.clientID,
  connected: client.provider.wsconnected ?? client.provider.configuration?.websocketProvider.status === 'connected'
})

const commands = {
  connect: (_, { client, kind, ...options }) => {
    const make = kind === 'y-websocket' ? connectYWebsocket : connectHocuspocus
    clients.set(client, make(client, { version: kind === 'hocuspocus-3' ? 3 : 4, ...options }))
  },
  reconnect: (client) => client.connect(),
  disconnect: async (client) => {
    client.disconnect()
    await until(() => 'still connected', () => !describe(client).connected, 10000)
  },
  destroy: (client, { client: name }) => { client.destroy(); clients.delete(name) },
  state: (client) => describe(client),
  waitSynced: async (client, { ms = 10000 }) => {
    await until(() => `sync of ${JSON.stringify(describe(client))}`, client.synced, ms)
  },
  waitSaved: async (client, { ms = 10000 }) => {
    await until(() => `save of ${JSON.stringify(describe(client))}`, client.isSaved, ms)
  },
  waitClosed: async (client, { ms = 10000 }) => {
    await until(() => `close of ${JSON.stringify(describe(client))}`, () => client.closes.length > 0, ms)
    return client.closes
  },
  waitDenied: async (client, { ms = 10000 }) => {
    await until(() => `denial of ${JSON.stringify(describe(client))}`, () => client.denied.length > 0, ms)
    return client.denied
  },
  waitText: async (client, { root = 'text', text, ms = 10000 }) => {
    const read = () => client.ydoc.getText(root).toString()
    await until(() => `text is ${JSON.stringify(read().slice(0, 200))}`, () => read() === text, ms)
  },
  waitState: async (client, { vector, ms = 10000 }) => {
    const wanted = Y.decodeStateVector(bytes(vector))
    const has = () => {
      const own = Y.decodeStateVector(Y.encodeStateVector(client.ydoc))
      return [...wanted].every(([id, clock]) => (own.get(id) ?? 0) >= clock)
    }
    await until(() => 'state vector behind', has, ms)
  },
  insert: (client, { root = 'text', index = 0, text }) => client.ydoc.getText(root).insert(index, text),
  append: (client, { root = 'text', text }) => {
    const type = client.ydoc.getText(root)
    type.insert(type.length, text)
  },
  remove: (client, { root = 'text', index, length }) => client.ydoc.getText(root).delete(index, length),
  set: (client, { root = 'map', key, value }) => client.ydoc.getMap(root).set(key, value),
  // [[position, deleted, inserted], ...], each a keystroke of its own, `batch` of them per transaction
  trace: async (client, { root = 'text', edits, batch = 1 }) => {
    const type = client.ydoc.getText(root)
    for (let start = 0; start < edits.length; start += batch) {
      client.ydoc.transact(() => {
        for (const [position, deleted, inserted] of edits.slice(start, start + batch)) {
          if (deleted) type.delete(position, deleted)
          if (inserted) type.insert(position, inserted)
        }
      })
      if (start % 1000 < batch) await new Promise(resolve => setImmediate(resolve))
    }
  },
  // a Tiptap paragraph: <paragraph>text</paragraph> in the fragment `default`
  paragraph: (client, { root = 'default', index = 0, text, marks = {} }) => {
    const element = new Y.XmlElement('paragraph')
    const content = new Y.XmlText()
    client.ydoc.transact(() => {
      client.ydoc.getXmlFragment(root).insert(index, [element])
      element.insert(0, [content])
      content.insert(0, text, marks)
    })
  },
  text: (client, { root = 'text' }) => client.ydoc.getText(root).toString(),
  xml: (client, { root = 'default' }) => client.ydoc.getXmlFragment(root).toString(),
  map: (client, { root = 'map' }) => client.ydoc.getMap(root).toJSON(),
  stateVector: (client) => hex(Y.encodeStateVector(client.ydoc)),
  update: (client) => hex(Y.encodeStateAsUpdate(client.ydoc)),
  setAwareness: (client, { field, value }) => client.awareness.setLocalStateField(field, value),
  awareness: (client) => Object.fromEntries(client.awareness.getStates()),
  waitAwareness: async (client, { count, ms = 10000 }) => {
    const states = () => client.awareness.getStates()
    await until(() => `awareness ${JSON.stringify([...states()])}`, () => states().size === count, ms)
    return Object.fromEntries(states())
  }
}

process.on('uncaughtException', (error) => say({ event: 'uncaught', error: String(error?.stack ?? error) }))
process.on('unhandledRejection', (error) => say({ event: 'uncaught', error: String(error?.stack ?? error) }))
console.error = (...args) => process.stderr.write(args.map(String).join(' ') + '\n')
console.warn = console.log = console.error

createInterface({ input: process.stdin }).on('line', async (line) => {
  const command = JSON.parse(line)
  try {
    const client = clients.get(command.client)
    if (!client && command.do !== 'connect') throw new Error(`no client ${command.client}`)
    say({ id: command.id, ok: (await commands[command.do](client, command)) ?? null })
  } catch (error) {
    say({ id: command.id, error: String(error?.message ?? error) })
  }
}).on('close', () => process.exit(0))
