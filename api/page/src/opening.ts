/** What a document needs to open, asked for at once. */

import { get, isOutage, request } from './api'
import { recall, remember, type Known } from './remembered'
import type { CollabToken, Doc } from './types'

export interface Opening {
  doc: Doc
  first: Known
  editing: typeof import('./editor/editor')
}

let hastened: { id: string; opening: Promise<Opening> } | null = null

/** Begin to open what the address names, before anything else of the page is there. */
export function hasten(id: string): void {
  hastened = { id, opening: ask(id) }
  hastened.opening.catch(() => undefined) // whoever takes it hears of it
}

export function opening(id: string): Promise<Opening> {
  const begun = hastened?.id === id ? hastened.opening : null
  hastened = null
  return begun ?? ask(id)
}

export async function fetchToken(id: string): Promise<CollabToken> {
  return (await request('POST', `/documents/${id}/collab-token`, { again: true })).json() as Promise<CollabToken>
}

/** Where the server is out of reach, a document opens as it did the last time. */
async function ask(id: string): Promise<Opening> {
  const editing = import('./editor/editor')
  const name = `opened:${id}`
  try {
    const [doc, first] = await Promise.all([get<Doc>(`/documents/${id}`), fetchToken(id)])
    remember(name, { doc, first: { url: first.url, access: first.access } })
    return { doc, first, editing: await editing }
  } catch (error) {
    const known = isOutage(error) ? recall<{ doc: Doc; first: Known }>(name) : null
    if (!known) throw error
    return { ...known, editing: await editing }
  }
}
