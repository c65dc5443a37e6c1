/** Finding documents by their words. */

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { Dialog } from '../parts'
import { attempt, org } from '../state'

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
  return (
    <Dialog title="Search" onClose={onClose}>
      <input
        type="search"
        aria-label="Words"
        placeholder="Words in titles and texts"
        autofocus
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
      />
      <ul class="hits" aria-live="polite">
        {hits?.map((hit) => (
          <li key={hit.document_id}>
            <a href={`/d/${hit.document_id}`} onClick={onClose}>
              <strong>{hit.title || 'Untitled'}</strong>
              <span>{hit.excerpt.map((part) => (part.hit ? <mark>{part.text}</mark> : part.text))}</span>
            </a>
          </li>
        ))}
        {hits && !hits.length && <li class="hint">Nothing found.</li>}
      </ul>
    </Dialog>
  )
}
