// @hocuspocus/server with its Database extension on SQLite, and its Redis extension where a URL is given.
// Schema and statements are those of @hocuspocus/extension-sqlite; that package itself needs a native module that
// only an install script could bring, and Node has SQLite built in.
// usage: node hocuspocus.mjs PORT DIRECTORY [REDIS_URL]

import { DatabaseSync } from 'node:sqlite'
import { Database } from '@hocuspocus/extension-database'
import { Redis } from '@hocuspocus/extension-redis'
import { Server } from '@hocuspocus/server'
import RedisClient from 'ioredis'

const [port, directory, redis] = process.argv.slice(2)

const db = new DatabaseSync(`${directory}/hocuspocus.sqlite`)
db.exec('CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))')
const select = db.prepare('SELECT data FROM "documents" WHERE name = ? ORDER BY rowid DESC')
const upsert = db.prepare(
  'INSERT INTO "documents" ("name", "data") VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET data = excluded.data'
)

const extensions = [
  new Database({
    fetch: async ({ documentName }) => select.get(documentName)?.data ?? null,
    store: async ({ documentName, state }) => { upsert.run(documentName, state) }
  })
]
if (redis) extensions.push(new Redis({ createClient: () => new RedisClient(redis) }))

await new Server({ port: Number(port), address: '127.0.0.1', quiet: true, extensions }).listen()
