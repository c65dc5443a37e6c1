/** What the whole page knows: who is signed in, their organizations, the documents of the one in view. */

import { computed, effect, signal } from '@preact/signals'
import { all, del, get, patch, Problem, post } from './api'
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
    say(error instanceof Error ? error.message : String(error), true)
    return undefined
  }
}

export async function start(): Promise<void> {
  try {
    me.value = await get<User>('/auth/me')
    await loadOrgs()
  } catch (error) {
    if (error instanceof Problem && error.isSignedOut) me.value = null
    else throw error
  }
}

export async function loadOrgs(): Promise<void> {
  orgs.value = await all<Org>('/orgs')
  await loadDocs()
}

export async function loadDocs(): Promise<void> {
  docs.value = org.value ? await all<Doc>(`/orgs/${org.value.id}/documents?limit=200`) : []
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
  docs.value = [made, ...docs.value]
  go(`/d/${made.id}`)
}

/** A document has changed its title or its place: show it so. */
export function took(changed: Doc): void {
  docs.value = docs.value.map((each) => (each.id === changed.id ? changed : each))
}

/** Put a document below another one, or (null) below none. */
export async function move(id: string, parent: string | null): Promise<void> {
  await attempt(async () => took(await patch<Doc>(`/documents/${id}`, { parent_id: parent })))
}

export async function trash(doc: Doc): Promise<void> {
  await attempt(async () => {
    await del(`/documents/${doc.id}`)
    docs.value = docs.value.filter((each) => each.id !== doc.id)
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
  me.value = null
  orgs.value = []
  docs.value = []
  go('/sign-in')
}
