/** What the whole page knows: who is signed in, their organizations, the documents of the one in view. */

import { batch, computed, effect, signal } from '@preact/signals'
import { all, del, get, isOutage, patch, Problem, post } from './api'
import { forget, recall, remember } from './remembered'
import { go, place } from './router'
import type { Doc, Org, User } from './types'

interface Told {
  text: string
  bad: boolean
  /** What can be done about it, such as taking it back. */
  next?: { label: string; run: () => void }
}

/** undefined: not known yet; null: nobody. */
export const me = signal<User | null | undefined>(undefined)
export const orgs = signal<Org[]>([])
export const orgId = signal<string | null>(localStorage.getItem('org'))
export const docs = signal<Doc[]>([])
export const toast = signal<Told | null>(null)
export const theme = signal<string>(localStorage.getItem('theme') ?? 'system')
export const sidebarOpen = signal(false)
/** The server cannot be reached: what is shown is what this browser remembers. */
export const away = signal(false)

export const org = computed(() => orgs.value.find((each) => each.id === orgId.value) ?? orgs.value[0] ?? null)

effect(() => {
  localStorage.setItem('theme', theme.value)
  document.documentElement.dataset.theme = theme.value
})

effect(() => {
  if (org.value) localStorage.setItem('org', org.value.id)
})

let hiding = 0

export function say(text: string, bad = false, next?: Told['next']): void {
  toast.value = { text, bad, next }
  clearTimeout(hiding)
  hiding = window.setTimeout(() => (toast.value = null), bad || next ? 8000 : 4000)
}

/** Do something for the user; what goes wrong is shown. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem && error.isSignedOut) {
      signedOut()
      return undefined
    }
    say(error instanceof Error ? error.message : String(error), true, room(error))
    return undefined
  }
}

/** Whoever manages an organization that is full can look at what it has. */
function room(error: unknown): Told['next'] {
  const here = org.value
  const full = error instanceof Problem && (error.name === 'QuotaReached' || error.name === 'OrganizationFull')
  if (!full || (here?.role !== 'owner' && here?.role !== 'admin')) return undefined
  return { label: 'See what there is', run: () => go(`/org/${here.id}/usage`) }
}

const AGAIN_MS = 5000
let again = 0

export async function start(): Promise<void> {
  clearTimeout(again)
  try {
    await load()
    away.value = false
  } catch (error) {
    if (error instanceof Problem && error.isSignedOut) {
      me.value = null
      await forget()
    } else if (isOutage(error) && (me.value || recalled())) {
      away.value = true
      again = window.setTimeout(startAgain, AGAIN_MS)
    } else throw error
  }
}

const startAgain = (): void => void start().catch((error: unknown) => say(String(error), true))

addEventListener('online', () => {
  if (away.value) startAgain()
})

/** All at once: one question after another would take three times as long. */
async function load(): Promise<void> {
  const here = orgId.value
  const [user, found, list] = await Promise.all([
    get<User>('/auth/me'),
    all<Org>('/orgs'),
    here ? documentsOf(here).catch(() => null) : null,
  ])
  const before = recall<User>('me')
  if (before && before.id !== user.id) await forget()
  batch(() => {
    orgs.value = found
    me.value = user
    if (list && org.value?.id === here) show(list)
  })
  remember('me', user)
  remember('orgs', found)
  if (!list || org.value?.id !== here) await loadDocs()
}

/** What the server said the last time it could be asked. */
function recalled(): boolean {
  const user = recall<User>('me')
  if (!user) return false
  batch(() => {
    orgs.value = recall<Org[]>('orgs') ?? []
    docs.value = (org.value && recall<Doc[]>(`docs:${org.value.id}`)) ?? []
    me.value = user
  })
  return true
}

export async function loadOrgs(): Promise<void> {
  orgs.value = await all<Org>('/orgs')
  remember('orgs', orgs.value)
  await loadDocs()
}

export async function loadDocs(): Promise<void> {
  show(org.value ? await documentsOf(org.value.id) : [])
}

function documentsOf(id: string): Promise<Doc[]> {
  return all<Doc>(`/orgs/${id}/documents?limit=200`)
}

function show(list: Doc[]): void {
  docs.value = list
  if (org.value) remember(`docs:${org.value.id}`, list)
}

export async function choose(id: string): Promise<void> {
  orgId.value = id
  await loadDocs()
  go('/')
}

export async function createDocument(parent: string | null = null): Promise<void> {
  const here = org.value
  if (!here) return
  const made = await attempt(() =>
    post<Doc>(`/orgs/${here.id}/documents`, parent ? { title: '', parent_id: parent } : { title: '' }),
  )
  if (!made) return
  show([made, ...docs.value])
  go(`/d/${made.id}`)
}

/** A document has changed its title or its place: show it so. */
export function took(changed: Doc): void {
  show(docs.value.map((each) => (each.id === changed.id ? changed : each)))
}

/** Put a document below another one, or (null) below none. */
export async function move(id: string, parent: string | null): Promise<void> {
  await attempt(async () => took(await patch<Doc>(`/documents/${id}`, { parent_id: parent })))
}

export async function trash(doc: Doc): Promise<void> {
  await attempt(async () => {
    await del(`/documents/${doc.id}`)
    show(docs.value.filter((each) => each.id !== doc.id))
    if (place.value.id === doc.id) go('/')
    say(`“${doc.title || 'Untitled'}” is in the trash.`, false, { label: 'Undo', run: () => void recover(doc) })
  })
}

export async function recover(doc: Doc): Promise<boolean> {
  const recovered = await attempt(() => post<Doc>(`/documents/${doc.id}/recover`))
  if (!recovered) return false
  await attempt(loadDocs)
  say(`“${doc.title || 'Untitled'}” is back.`, false, { label: 'Open', run: () => go(`/d/${doc.id}`) })
  return true
}

export function signedOut(): void {
  batch(() => {
    me.value = null
    orgs.value = []
    docs.value = []
  })
  go('/sign-in')
  void forget().then((kept) => {
    if (kept) say('Edits of yours that could not be saved stay in this browser until you sign in again.')
  })
}
