/** Where the page is: a path, and what it names. */

import { signal } from '@preact/signals'

export interface Place {
  name: 'home' | 'document' | 'org' | (typeof NAMES)[number] | 'lost'
  id?: string
  tab?: string
}

/* Before `place`, which is parsed as this module loads. */
const NAMES = [
  'account',
  'admin',
  'trash',
  'import',
  'sign-in',
  'sign-up',
  'forgot',
  'reset-password',
  'verify-email',
  'change-email',
  'invitations',
  'access-requests',
  'shared',
] as const

export const place = signal<Place>(parse(location.pathname))

export function go(path: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path)
  place.value = parse(location.pathname)
}

/** Follow links within the page without loading it anew. */
export function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
  const link = (event.target as Element).closest('a')
  if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download')) return
  if (!isOurs(link.pathname)) return
  event.preventDefault()
  go(link.pathname + link.search + link.hash)
}

addEventListener('popstate', () => {
  place.value = parse(location.pathname)
})

function isOurs(path: string): boolean {
  return parse(path).name !== 'lost'
}

function parse(path: string): Place {
  const [first = '', second, third] = path.split('/').filter(Boolean)
  if (first === '') return { name: 'home' }
  if (first === 'd' && second) return { name: 'document', id: second, tab: third }
  if (first === 'org' && second) return { name: 'org', id: second, tab: third }
  const name = NAMES.find((known) => known === first)
  return name ? { name, id: second } : { name: 'lost' }
}

/** The secret of a link that came by mail: in the fragment, which no server and no log sees. */
export function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get('token') ?? ''
}
