/** What one is told, as it happens. */

import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { get, post } from '../api'
import { Dialog, Empty, Icon, Time } from '../parts'
import { go, place } from '../router'
import { attempt, away, docs, loadDocs, say } from '../state'

interface Notification {
  id: string
  kind: string
  document_id: string | null
  data: { title?: string; level?: string }
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
    if (!away.value)
      void attempt(async () => {
        items.value = (await get<{ items: Notification[] }>('/notifications?limit=30')).items
      })
    const stream = new EventSource('/api/v1/notifications/stream')
    const hear = (event: MessageEvent<string>) => {
      const told = JSON.parse(event.data) as Notification
      if (items.value.some((each) => each.id === told.id)) return
      items.value = [told, ...items.value].slice(0, 100)
      const inView = place.value.id === told.document_id
      if (told.kind === 'access.granted') {
        if (inView) location.reload()
        void attempt(loadDocs)
      }
      const seen = told.kind.startsWith('export.') || (inView && told.kind === 'document.changed')
      if (!told.read_at && !seen) say(`${words(told)}.`)
    }
    for (const kind of KINDS) stream.addEventListener(kind, hear)
    return () => stream.close()
  }, [away.value])
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
  const read = (path: string, which: (each: Notification) => boolean) =>
    attempt(async () => {
      await post(path)
      const now = new Date().toISOString()
      items.value = items.value.map((each) => (which(each) ? { ...each, read_at: each.read_at ?? now } : each))
    })
  const open = (each: Notification) => {
    if (!each.read_at) void read(`/notifications/${each.id}/read`, ({ id }) => id === each.id)
    if (!each.document_id) return
    onClose()
    go(`/d/${each.document_id}`)
  }
  const unread = items.value.some((each) => !each.read_at)
  return (
    <Dialog title="Notifications" onClose={onClose}>
      {!items.value.length && (
        <Empty icon="bell" title="Nothing new">
          <p>You are told here when somebody shares a document with you, asks for access, or changes what you watch.</p>
        </Empty>
      )}
      <ul class="picks" aria-label="Notifications">
        {items.value.map((each) => (
          <li key={each.id}>
            <button type="button" class={each.read_at ? '' : 'unread'} onClick={() => open(each)}>
              <span>
                {words(each)}
                <small>
                  <Time at={each.created_at} />
                </small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {unread && (
        <div class="actions">
          <button type="button" onClick={() => void read('/notifications/read', () => true)}>
            Mark all as read
          </button>
        </div>
      )}
    </Dialog>
  )
}

function words({ kind, data, document_id }: Notification): string {
  const title = data.title || docs.value.find(({ id }) => id === document_id)?.title || 'Untitled'
  switch (kind) {
    case 'access.requested':
      return `Somebody asks to ${data.level} “${title}”`
    case 'access.granted':
      return `You can ${data.level} “${title}” now`
    case 'document.changed':
      return `“${title}” has changed`
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
