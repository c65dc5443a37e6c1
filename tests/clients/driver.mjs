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
    drop: () => provider.ws?.terminate(),
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
    drop: () => websocketProvider.webSocket?.terminate(),
    connect: () => websocketProvider.connect(),
    disconnect: () => websocketProvider.disconnect(),
    destroy: () => { provider.destroy(); if (!socket) websocketProvider.destroy(); ydoc.destroy() }
  })
  return client
}

// --- random edits, the same for the same seed ---

const chance = (seed) => () => { // mulberry32
  seed = (seed + 0x6D2B79F5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const WORDS = ['word ', 'schön ', '🎉', 'naïve ', 'עברית ', 'a\nb ', 'x']
const MARKS = [{ bold: {} }, { italic: {} }, { link: { href: 'https://example.org', target: null } }, { bold: null }]

// The nodes of Tiptap's StarterKit: blocks with text, and blocks in blocks.
const block = (pick, depth = 0) => {
  const kind = pick(depth < 2 ? ['paragraph', 'heading', 'codeBlock', 'bulletList', 'blockquote'] : ['paragraph'])
  const element = new Y.XmlElement(kind)
  if (kind === 'heading') element.setAttribute('level', pick([1, 2, 3]))
  if (kind === 'bulletList') {
    const item = new Y.XmlElement('listItem')
    item.insert(0, [block(pick, 2)])
    element.insert(0, [item])
  } else if (kind === 'blockquote') {
    element.insert(0, [block(pick, depth + 1)])
  } else {
    element.insert(0, [new Y.XmlText(pick(WORDS))])
  }
  return element
}

const texts = (type) => type instanceof Y.XmlText ? [type] : type.toArray().flatMap(texts)
// A place between two characters: editors never go between the halves of a surrogate pair, of which Yjs makes two �.
const between = (text, place) => {
  const plain = text.toDelta().map(({ insert }) => insert).join('')
  const half = plain.charCodeAt(place)
  return half >= 0xDC00 && half <= 0xDFFF ? place - 1 : place
}
const range = (text, upTo, most) => {
  const start = between(text, upTo(text.length))
  return [start, between(text, Math.min(start + upTo(most), text.length)) - start]
}
const elements = (type) => type.toArray().filter(child => child instanceof Y.XmlElement)

const scribbles = {
  type: (doc, pick, upTo) => {
    const text = doc.getText('text')
    text.insert(between(text, upTo(text.length)), pick(WORDS))
  },
  erase: (doc, pick, upTo) => {
    const text = doc.getText('text')
    text.delete(...range(text, upTo, 5))
  },
  mark: (doc, pick, upTo) => {
    const text = doc.getText('text')
    text.format(...range(text, upTo, 9), pick(MARKS))
  },
  block: (doc, pick, upTo) => {
    const fragment = doc.getXmlFragment('default')
    fragment.insert(upTo(fragment.length), [block(pick)])
  },
  unblock: (doc, pick, upTo) => {
    const fragment = doc.getXmlFragment('default')
    if (fragment.length > 3) fragment.delete(upTo(fragment.length - 1), 1)
  },
  write: (doc, pick, upTo) => {
    const all = texts(doc.getXmlFragment('default'))
    if (!all.length) return
    const text = pick(all)
    text.insert(between(text, upTo(text.length)), pick(WORDS), pick([{}, { bold: {} }]))
  },
  style: (doc, pick, upTo) => {
    const all = texts(doc.getXmlFragment('default'))
    if (!all.length) return
    const text = pick(all)
    text.format(...range(text, upTo, 9), pick(MARKS))
  },
  attribute: (doc, pick) => {
    const some = elements(doc.getXmlFragment('default'))
    if (some.length) pick(some).setAttribute('textAlign', pick(['left', 'right', 'center']))
  },
  set: (doc, pick, upTo) => doc.getMap('map').set(pick(['a', 'b', 'c']), upTo(1000)),
  push: (doc, pick, upTo) => { const list = doc.getArray('list'); list.insert(upTo(list.length), [pick(WORDS)]) }
}

// Everything in a document, in a form that is the same for the same content: keys of an object are in no order.
const sorted = (_key, value) => value !== null && typeof value === 'object' && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
  : value
const content = (doc) => JSON.stringify({
  text: doc.getText('text').toDelta(),
  xml: doc.getXmlFragment('default').toString(),
  map: doc.getMap('map').toJSON(),
  list: doc.getArray('list').toJSON()
}, sorted)

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
  // `count` random edits, some of them together in one transaction
  scribble: (client, { seed, count }) => {
    const random = chance(seed)
    const pick = (some) => some[Math.floor(random() * some.length)]
    const upTo = (most) => Math.floor(random() * (most + 1))
    for (let left = count; left > 0;) {
      const together = Math.min(left, pick([1, 1, 1, 3]))
      client.ydoc.transact(() => {
        for (let number = 0; number < together; number++) pick(Object.values(scribbles))(client.ydoc, pick, upTo)
      })
      left -= together
    }
  },
  // the connection breaks, as it does when a cable is pulled; the client comes back by itself
  drop: (client) => { client.drop() },
  content: (client) => content(client.ydoc),
  // what these updates make, in a document that nobody else has
  contentOf: (_, { updates }) => {
    const doc = new Y.Doc()
    for (const update of updates) Y.applyUpdate(doc, bytes(update))
    if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) throw new Error('something is missing')
    return content(doc)
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
  // a real Tiptap editor on the client's document, and what its user does: [[command, ...arguments], ...]
  tiptap: async (client) => { client.editor = await (await import('./tiptap.mjs')).open(client.ydoc) },
  edit: (client, { commands }) => {
    for (const [name, ...given] of commands) {
      if (!client.editor.commands[name](...given)) throw new Error(`${name} is not possible there`)
    }
  },
  prosemirror: (client) => client.editor.getJSON(),
  // a real BlockNote editor, and what its user does: [[command, block's place or null, ...arguments], ...]
  blocknote: async (client) => {
    client.editor = await (await import('./blocknote.mjs')).open(client.ydoc, client.awareness)
  },
  block: (client, { commands }) => {
    const { editor } = client
    const does = {
      replaceAll: (_, blocks) => editor.replaceBlocks(editor.document, blocks),
      insertAfter: (block, blocks) => editor.insertBlocks(blocks, block, 'after'),
      update: (block, change) => editor.updateBlock(block, change)
    }
    for (const [name, at, ...given] of commands) does[name](at === null ? null : editor.document.at(at), ...given)
  },
  blocks: (client) => client.editor.document,
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

process.on('uncaughtException', (error) => {
  // ws throws this when a client gives up while it connects; a browser says nothing then.
  if (String(error?.message).startsWith('WebSocket was closed before the connection was established')) return
  say({ event: 'uncaught', error: String(error?.stack ?? error) })
})
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
