/** What one is told, as it happens. */

import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { get, post } from '../api'
import { Dialog, Icon, Time } from '../parts'
import { attempt } from '../state'

interface Notification {
  id: string
  kind: string
  document_id: string | null
  data: { title?: string; level?: string; revision?: number }
  created_at: string
  read_at: string | null
}

const items = signal<Notification[]>([])

const KINDS = [
  'access.granted',
  'access.requested',
  'document.changed',
  'document.emptied',
  'export.failed',
  'export.succeeded',
]

export function Bell() {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    void attempt(async () => {
      items.value = (await get<{ items: Notification[] }>('/notifications?limit=30')).items
    })
    const stream = new EventSource('/api/v1/notifications/stream')
    const hear = (event: MessageEvent<string>) => {
      const told = JSON.parse(event.data) as Notification
      items.value = [told, ...items.value.filter((each) => each.id !== told.id)].slice(0, 100)
    }
    for (const kind of KINDS) stream.addEventListener(kind, hear)
    return () => stream.close()
  }, [])
  const unread = items.value.filter((each) => !each.read_at).length
  return (
    <>
      <button
        type="button"
        class="icon-button bell"
        aria-label={unread ? `Notifications: ${unread} new` : 'Notifications'}
        onClick={() => setOpen(true)}
      >
        <Icon name="bell" />
        {unread > 0 && <span class="count">{unread}</span>}
      </button>
      {open && <List onClose={() => setOpen(false)} />}
    </>
  )
}

function List({ onClose }: { onClose: () => void }) {
  const readAll = () =>
    attempt(async () => {
      await post('/notifications/read')
      const now = new Date().toISOString()
      items.value = items.value.map((each) => ({ ...each, read_at: each.read_at ?? now }))
    })
  return (
    <Dialog title="Notifications" onClose={onClose}>
      <ul class="list">
        {items.value.map((each) => (
          <li key={each.id} class={each.read_at ? '' : 'unread'}>
            {each.document_id ? (
              <a href={`/d/${each.document_id}`} onClick={onClose}>
                {words(each)}
              </a>
            ) : (
              words(each)
            )}{' '}
            <small>
              <Time at={each.created_at} />
            </small>
          </li>
        ))}
        {!items.value.length && <li class="hint">Nothing yet.</li>}
      </ul>
      <button type="button" onClick={() => void readAll()}>
        Mark all as read
      </button>
    </Dialog>
  )
}

function words({ kind, data }: Notification): string {
  const title = data.title || 'A document'
  switch (kind) {
    case 'access.requested':
      return `Somebody asks to ${data.level} “${title}”`
    case 'access.granted':
      return `You can ${data.level} “${title}” now`
    case 'document.changed':
      return `A document you watch has changed (revision ${data.revision})`
    case 'document.emptied':
      return `Most of “${title}” was deleted; the version before is kept`
    case 'export.succeeded':
      return 'Your export is ready'
    case 'export.failed':
      return 'Your export could not be made'
    default:
      return kind
  }
}
