/** What the whole page knows: who is signed in, their organizations, the documents of the one in view. */

import { computed, effect, signal } from '@preact/signals'
import { all, get, Problem, post } from './api'
import { go } from './router'
import type { Doc, Org, User } from './types'

/** undefined: not known yet; null: nobody. */
export const me = signal<User | null | undefined>(undefined)
export const orgs = signal<Org[]>([])
export const orgId = signal<string | null>(localStorage.getItem('org'))
export const docs = signal<Doc[]>([])
export const toast = signal<{ text: string; bad: boolean } | null>(null)
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

export function say(text: string, bad = false): void {
  toast.value = { text, bad }
  clearTimeout(hiding)
  hiding = window.setTimeout(() => (toast.value = null), bad ? 8000 : 4000)
}

/** Do something for the user; what goes wrong is shown. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem && error.status === 401) {
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
    if (error instanceof Problem && error.status === 401) me.value = null
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

/** A document has changed (title, place, trash): show it so. */
export function took(changed: Doc): void {
  const others = docs.value.filter((each) => each.id !== changed.id)
  docs.value = changed.trashed_at ? others : docs.value.map((each) => (each.id === changed.id ? changed : each))
}

export function signedOut(): void {
  me.value = null
  orgs.value = []
  docs.value = []
  go('/sign-in')
}
