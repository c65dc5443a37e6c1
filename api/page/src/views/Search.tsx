/** Finding documents by their words. */

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { count, Dialog, Icon } from '../parts'
import { go } from '../router'
import { attempt, docs, org } from '../state'

interface Hit {
  document_id: string
  title: string
  excerpt: { text: string; hit: boolean }[]
}

export function SearchDialog({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState('')
  const [hits, setHits] = useState<Hit[] | null>(null)
  useEffect(() => {
    const words = query.trim()
    if (!words) {
      setHits(null)
      return
    }
    const waiting = setTimeout(async () => {
      const found = await attempt(() => get<{ items: Hit[] }>(`/orgs/${org.value?.id}/search?q=${encodeURIComponent(words)}`))
      setHits(found?.items ?? null)
    }, 150)
    return () => clearTimeout(waiting)
  }, [query])
  const newest = [...docs.value].sort((one, other) => other.updated_at.localeCompare(one.updated_at)).slice(0, 6)
  const shown = hits ?? newest.map(({ id, title }): Hit => ({ document_id: id, title, excerpt: [] }))
  return (
    <Dialog title="Search" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const [best] = shown
          if (!best) return
          onClose()
          go(`/d/${best.document_id}`)
        }}
        onKeyDown={walk}
      >
        <input
          type="search"
          aria-label="Words"
          placeholder="Words in titles and texts"
          autofocus
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        <div aria-live="polite" class="hint">
          {hits === null ? 'Changed lately' : hits.length ? count(hits.length, 'document') : `Nothing has “${query.trim()}” in it.`}
        </div>
        <ul class="hits">
          {shown.map((hit) => (
            <li key={hit.document_id}>
              <a href={`/d/${hit.document_id}`} onClick={onClose}>
                <Icon name="page" />
                <span>
                  <strong>{hit.title || 'Untitled'}</strong>
                  {hit.excerpt.length > 0 && <small>{hit.excerpt.map((part) => (part.hit ? <mark>{part.text}</mark> : part.text))}</small>}
                </span>
              </a>
            </li>
          ))}
        </ul>
      </form>
    </Dialog>
  )
}

/** Up and down through what was found; Enter opens it. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step) return
  event.preventDefault()
  const stops = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('input, a')]
  stops.at((stops.indexOf(document.activeElement as HTMLElement) + step) % stops.length)?.focus()
}
