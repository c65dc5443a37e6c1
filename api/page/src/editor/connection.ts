/** A document that is open: its Yjs doc, the copy this browser keeps, the socket, and the truth about what is saved. */

import { HocuspocusProvider } from '@hocuspocus/provider'
import { signal } from '@preact/signals'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { Problem } from '../api'
import { colour } from '../parts'
import type { CollabToken } from '../types'

export interface Saved {
  kind: 'opening' | 'saved' | 'saving' | 'offline' | 'refused'
  /** Edits of one's own that the server has not said to be saved. */
  unsaved: number
  reason?: string
}

export interface Someone {
  client: number
  id: string
  name: string
  color: string
}

/** Whoever writes: as others see them, and where this browser keeps their copy. */
export interface Author {
  id: string
  name: string
}

const COPY_MS = 1500

export class Connection {
  readonly saved = signal<Saved>({ kind: 'opening', unsaved: 0 })
  readonly people = signal<Someone[]>([])
  readonly access = signal<CollabToken['access']>('read')
  /** Whether there is something to show: from the server, or from the copy in this browser. */
  readonly ready = signal(false)
  readonly provider: HocuspocusProvider
  private connected = false
  /** To be connected again as soon as the socket has been closed. */
  private returning = false
  private unsaved = 0
  private refusal: string | null = null

  /**
   * Open a document once the copy that this browser keeps has been read into it: only what the server lacks is sent
   * then, and not all of it as one more edit. Where no copy can be kept, or it takes long, it goes on without.
   */
  static async open(id: string, author: Author, first: CollabToken, fetchToken: () => Promise<CollabToken>): Promise<Connection> {
    const doc = new Y.Doc()
    const copy = new IndexeddbPersistence(`doxie:${author.id}:${id}`, doc)
    await Promise.race([copy.whenSynced, new Promise((done) => setTimeout(done, COPY_MS))])
    return new Connection(id, author, doc, copy, first, fetchToken)
  }

  private constructor(
    readonly id: string,
    readonly author: Author,
    readonly doc: Y.Doc,
    private readonly copy: IndexeddbPersistence,
    first: CollabToken,
    private readonly fetchToken: () => Promise<CollabToken>,
  ) {
    this.access.value = first.access
    let token: string | null = first.token
    this.provider = new HocuspocusProvider({
      url: first.url,
      name: id,
      document: this.doc,
      token: async () => {
        const known = token ?? (await this.renew())
        token = null
        return known
      },
      onStatus: ({ status }) => {
        this.connected = status === 'connected'
        if (status === 'disconnected' && this.returning) queueMicrotask(this.comeBack)
        this.show()
      },
      onSynced: () => {
        this.ready.value = true
        this.show()
      },
      onUnsyncedChanges: ({ number }) => {
        if (number === 0 && this.connected) this.unsaved = 0
        this.show()
      },
      onAuthenticationFailed: ({ reason }) => this.refuse(reason),
      onClose: ({ event }) => {
        if (event.code === 4403 || event.code === 4404 || event.code === 4401) void this.renew()
      },
      onAwarenessUpdate: ({ states }) => this.see(states),
    })
    this.provider.setAwarenessField('user', { ...author, color: colour(author.id) })
    if (this.doc.store.clients.size) this.ready.value = true
    this.doc.on('update', this.count)
    addEventListener('offline', this.leaveLine)
    addEventListener('online', this.comeBack)
    addEventListener('focus', this.askAgain)
  }

  close(): void {
    this.doc.off('update', this.count)
    removeEventListener('offline', this.leaveLine)
    removeEventListener('online', this.comeBack)
    removeEventListener('focus', this.askAgain)
    this.provider.destroy()
    void this.copy.destroy()
    this.doc.destroy()
  }

  /** Forget the copy in this browser: somebody who may no longer read the document keeps nothing of it. */
  async forget(): Promise<void> {
    await this.copy.clearData()
  }

  /** Without a network a socket looks open for half a minute: the browser knows better. */
  private readonly leaveLine = (): void => this.provider.disconnect()

  private readonly comeBack = (): void => {
    this.returning = this.connected
    if (this.refusal === null) void this.provider.connect()
  }

  /** A socket is for as much as it was opened for: whoever may only read, and comes back here, may be allowed more by now. */
  private readonly askAgain = async (): Promise<void> => {
    if (this.refusal !== null || this.access.value === 'write') return
    await this.renew()
    if (this.access.peek() !== 'write') return
    this.leaveLine()
    this.comeBack()
  }

  private readonly count = (_update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (!transaction.local || origin === this.copy) return
    this.unsaved += 1
    this.show()
  }

  private async renew(): Promise<string> {
    try {
      const fresh = await this.fetchToken()
      this.access.value = fresh.access
      return fresh.token
    } catch (error) {
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
        this.refuse(error.message)
        if (error.status !== 401) await this.forget()
      }
      return 'none'
    }
  }

  private refuse(reason: string): void {
    this.refusal = reason
    this.provider.disconnect()
    this.show()
  }

  private show(): void {
    this.saved.value = this.now()
  }

  private now(): Saved {
    const { unsaved } = this
    if (this.refusal !== null) return { kind: 'refused', unsaved, reason: this.refusal }
    if (!this.connected) return { kind: this.ready.value ? 'offline' : 'opening', unsaved }
    if (unsaved) return { kind: 'saving', unsaved }
    // A sync that nobody has answered yet counts as unsynced, too: there may be edits of an earlier visit in it.
    return { kind: this.provider.isSynced && !this.provider.hasUnsyncedChanges ? 'saved' : 'opening', unsaved }
  }

  private see(states: { clientId: number; user?: Omit<Someone, 'client'> }[]): void {
    const people = new Map<string, Someone>()
    for (const { clientId, user } of states) {
      if (user?.id && clientId !== this.doc.clientID) people.set(user.id, { ...user, client: clientId })
    }
    this.people.value = [...people.values()]
  }
}
