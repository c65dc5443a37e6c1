/** A document that is open: its Yjs doc, the copy this browser keeps, the socket, and the truth about what is saved. */

import { HocuspocusProvider } from '@hocuspocus/provider'
import { signal } from '@preact/signals'
import { IndexeddbPersistence } from 'y-indexeddb'
import * as Y from 'yjs'
import { Problem } from '../api'
import { colour } from '../parts'
import { forgetCopy, nameOfCopy, rememberUnsaved, unsavedIn, type Known } from '../remembered'
import type { CollabToken } from '../types'

export interface Saved {
  kind: 'opening' | 'saved' | 'saving' | 'offline' | 'full' | 'refused'
  /** Edits of one's own that the server has not said to be saved. */
  unsaved: number
  /** All of those are in the copy in this browser. */
  kept: boolean
  reason?: string
}

export interface Someone {
  client: number
  id: string
  name: string
  color: string
}

/** Whoever writes: as others see them, and where this browser keeps their copy; of a visitor it keeps none. */
export interface Author {
  id: string
  name: string
  visits?: boolean
}

const COPY_MS = 1500
/** How `collab` closes a socket whose edit does not fit. */
const TOO_BIG = 1009
/** Between two tries where there is no token now, or no room: the first pause, and the longest. */
const PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

export class Connection {
  readonly saved = signal<Saved>({ kind: 'opening', unsaved: 0, kept: true })
  readonly people = signal<Someone[]>([])
  readonly access = signal<CollabToken['access']>('read')
  /** Whether there is something to show: from the server, or from the copy in this browser. */
  readonly ready = signal(false)
  readonly provider: HocuspocusProvider
  /** The socket is open. */
  private connected = false
  /** The server has let us in on it. */
  private admitted = false
  /** It was tried, and there is nobody. */
  private apart = false
  /** To be connected again as soon as the socket has been closed. */
  private returning = false
  /** Edits of one's own, counted as they are made: so many there are, at the server, and in the copy. */
  private made: number
  private safe = 0
  private kept: number
  private keeping = false
  private refusal: string | null = null
  /** Why the server takes no edits now: the organization or the document is full. What was typed waits. */
  private full: string | null = null
  private pause = PAUSE_MS
  private waiting = 0
  private closed = false

  /**
   * Open a document once the copy that this browser keeps has been read into it: only what the server lacks is sent
   * then, and not all of it as one more edit. Where no copy can be kept, or it takes long, it goes on without.
   */
  static async open(id: string, author: Author, first: Known, fetchToken: () => Promise<CollabToken>): Promise<Connection> {
    const doc = new Y.Doc()
    const copy = author.visits ? null : new IndexeddbPersistence(nameOfCopy(author.id, id), doc)
    if (copy) await Promise.race([copy.whenSynced, new Promise((done) => setTimeout(done, COPY_MS))])
    return new Connection(id, author, doc, copy, first, fetchToken)
  }

  private constructor(
    readonly id: string,
    readonly author: Author,
    readonly doc: Y.Doc,
    private readonly copy: IndexeddbPersistence | null,
    first: Known,
    private readonly fetchToken: () => Promise<CollabToken>,
  ) {
    this.access.value = first.access
    this.made = this.kept = copy ? unsavedIn(copy.name) : 0
    let known = first.token ?? null
    this.provider = new HocuspocusProvider({
      url: first.url,
      name: id,
      document: this.doc,
      token: async () => {
        const token = known ?? (await this.ask())
        known = null
        if (token !== null) return token
        this.later()
        return new Promise<string>(() => undefined) // nothing is said on a socket that is given up
      },
      onStatus: ({ status }) => {
        this.connected = status === 'connected'
        if (status === 'disconnected') this.lost()
        this.show()
      },
      onAuthenticated: () => {
        this.admitted = true
        this.apart = false
        this.show()
      },
      onSynced: () => {
        this.ready.value = true
        if (this.full === null) this.pause = PAUSE_MS
        this.show()
      },
      onUnsyncedChanges: ({ number }) => {
        if (number === 0 && this.admitted) {
          this.safe = this.made
          this.full = null
        }
        this.show()
      },
      onAuthenticationFailed: () => void this.denied(),
      onClose: ({ event }) => {
        if (event.code === 4403 || event.code === 4404 || event.code === 4401) void this.ask()
        if (event.code === TOO_BIG) {
          this.full = event.reason
          this.later()
        }
      },
      onAwarenessUpdate: ({ states }) => this.see(states),
    })
    this.provider.setAwarenessField('user', { id: author.id, name: author.name, color: colour(author.id) })
    if (this.doc.store.clients.size) this.ready.value = true
    this.doc.on('update', this.count)
    addEventListener('offline', this.leaveLine)
    addEventListener('online', this.comeBack)
    addEventListener('focus', this.askAgain)
    addEventListener('beforeunload', this.warn)
    this.show()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.waiting)
    this.doc.off('update', this.count)
    removeEventListener('offline', this.leaveLine)
    removeEventListener('online', this.comeBack)
    removeEventListener('focus', this.askAgain)
    removeEventListener('beforeunload', this.warn)
    this.provider.destroy()
    void this.copy?.destroy()
    this.doc.destroy()
  }

  /** Without a network a socket looks open for half a minute: the browser knows better. */
  private readonly leaveLine = (): void => this.provider.disconnect()

  private readonly comeBack = (): void => {
    this.returning = this.connected
    if (this.refusal === null && !this.closed) void this.provider.connect()
  }

  private lost(): void {
    this.admitted = false
    this.apart = true
    if (this.returning) queueMicrotask(this.comeBack)
  }

  /** A socket is for as much as it was opened for: whoever may only read, and comes back here, may be allowed more by now. */
  private readonly askAgain = async (): Promise<void> => {
    if (this.refusal !== null || this.access.value === 'write') return
    await this.ask()
    if (this.access.peek() !== 'write') return
    this.leaveLine()
    this.comeBack()
  }

  private readonly count = (_update: Uint8Array, origin: unknown, _doc: Y.Doc, transaction: Y.Transaction): void => {
    if (!transaction.local || origin === this.copy) return
    this.made += 1
    this.keep()
    this.show()
  }

  /** The copy is written behind: once it answers a question, what it was given before is in it. */
  private keep(): void {
    if (!this.copy?.db || this.keeping || this.closed || this.refusal !== null) return
    this.keeping = true
    const { made } = this
    const question = this.copy.db.transaction('updates').objectStore('updates').count()
    question.onerror = () => {
      this.keeping = false
    }
    question.onsuccess = () => {
      this.keeping = false
      this.kept = made
      this.show()
      if (this.kept < this.made) this.keep()
    }
  }

  private readonly warn = (event: BeforeUnloadEvent): void => {
    const { kind, kept } = this.saved.peek()
    if (kind !== 'refused' && !kept) event.preventDefault()
  }

  /** A token; null where nobody can give one now. Only the API says for certain that somebody is out. */
  private async ask(): Promise<string | null> {
    try {
      const fresh = await this.fetchToken()
      this.access.value = fresh.access
      return fresh.token
    } catch (error) {
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
        this.refuse(error.message)
        if (error.status !== 401) this.forget()
      }
      return null
    }
  }

  /** What `collab` does not let in may be a token that is too old: the API knows. */
  private async denied(): Promise<void> {
    await this.ask()
    this.later()
  }

  /** Give this socket up, and try again after a while. */
  private later(): void {
    if (this.refusal !== null || this.closed) return
    this.apart = true
    this.provider.disconnect()
    this.show()
    clearTimeout(this.waiting)
    this.waiting = window.setTimeout(this.comeBack, this.pause)
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS)
  }

  /** Somebody who may no longer read the document keeps nothing of it in this browser. */
  private forget(): void {
    void this.copy?.destroy()
    forgetCopy(this.author.id, this.id)
  }

  private refuse(reason: string): void {
    this.refusal = reason
    this.provider.disconnect()
    this.show()
  }

  private show(): void {
    const now = this.now()
    if (this.copy && now.unsaved !== this.saved.peek().unsaved) rememberUnsaved(this.copy.name, now.unsaved)
    this.saved.value = now
  }

  private now(): Saved {
    const unsaved = this.made - this.safe
    const counted = { unsaved, kept: unsaved === 0 || this.kept >= this.made }
    if (this.refusal !== null) return { kind: 'refused', ...counted, reason: this.refusal }
    if (this.full !== null) return { kind: 'full', ...counted, reason: this.full }
    if (!this.admitted) return { kind: this.apart ? 'offline' : 'opening', ...counted }
    if (unsaved) return { kind: 'saving', ...counted }
    // A sync that nobody has answered yet counts as unsynced, too: there may be edits of an earlier visit in it.
    return { kind: this.provider.isSynced && !this.provider.hasUnsyncedChanges ? 'saved' : 'opening', ...counted }
  }

  private see(states: { clientId: number; user?: Omit<Someone, 'client'> }[]): void {
    const people = new Map<string, Someone>()
    for (const { clientId, user } of states) {
      if (user?.id && clientId !== this.doc.clientID) people.set(user.id, { ...user, client: clientId })
    }
    this.people.value = [...people.values()]
  }
}
