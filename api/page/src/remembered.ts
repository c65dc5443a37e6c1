/**
 * What this browser remembers, so that the page opens without the server: who is signed in, their organizations, lists
 * of documents, and how the documents were opened that have been open here. Their text lies in IndexedDB, in a copy
 * for each (editor/connection). All of it is forgotten when somebody signs out, except edits that nobody else has yet.
 */

import type { CollabToken } from './types'

/** How a document is opened; without a token it has to be asked for. */
export type Known = Omit<CollabToken, 'token'> & { token?: string }

const PREFIX = 'doxie:'
const UNSAVED = 'unsaved:'

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value))
  } catch {
    localStorage.removeItem(PREFIX + name) // there is no room: better nothing than what is no longer so
  }
}

export function recall<T>(name: string): T | null {
  const text = localStorage.getItem(PREFIX + name)
  return text === null ? null : (JSON.parse(text) as T)
}

/** The database of somebody's copy of a document. */
export function nameOfCopy(userId: string, documentId: string): string {
  return `${PREFIX}${userId}:${documentId}`
}

/** How many edits of somebody's own are in a copy and nowhere else. */
export function unsavedIn(copy: string): number {
  return Number(localStorage.getItem(UNSAVED + copy) ?? 0)
}

export function rememberUnsaved(copy: string, unsaved: number): void {
  if (unsaved) localStorage.setItem(UNSAVED + copy, String(unsaved))
  else localStorage.removeItem(UNSAVED + copy)
}

/** Keep nothing of a document. */
export function forgetCopy(userId: string, documentId: string): void {
  const copy = nameOfCopy(userId, documentId)
  localStorage.removeItem(`${PREFIX}opened:${documentId}`)
  localStorage.removeItem(UNSAVED + copy)
  indexedDB.deleteDatabase(copy)
}

/** Somebody signs out: only copies with edits that are nowhere else stay, for when they come back. So many there are. */
export async function forget(): Promise<number> {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key)
  let kept = 0
  const copies = await indexedDB.databases().catch(() => []) // a browser may keep none
  for (const { name = '' } of copies) {
    if (!name.startsWith(PREFIX)) continue
    if (unsavedIn(name)) kept += 1
    else indexedDB.deleteDatabase(name)
  }
  return kept
}
