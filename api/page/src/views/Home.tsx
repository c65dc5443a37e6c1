/** Where one arrives: the newest documents, or how to begin. */

import { useState } from 'preact/hooks'
import { count, Empty, Icon, Time } from '../parts'
import { createDocument, docs, me, org } from '../state'
import { Found, Sheet } from './Shell'

export function Home() {
  const [founding, setFounding] = useState(false)
  const newest = [...docs.value].sort((one, other) => other.updated_at.localeCompare(one.updated_at)).slice(0, 12)
  if (!org.value)
    return (
      <Sheet title={`Welcome, ${me.value?.name ?? ''}`}>
        <Empty icon="page" title="Start with an organization">
          <p>It holds your documents and the people you write with.</p>
          <button type="button" class="primary" onClick={() => setFounding(true)}>
            Create an organization
          </button>
          <p class="hint">Invited somewhere? Open the link you were sent.</p>
        </Empty>
        {founding && <Found onClose={() => setFounding(false)} />}
      </Sheet>
    )
  const writes = org.value.role !== 'guest'
  return (
    <Sheet title={org.value.name} hint={newest.length > 0 && 'Changed lately'}>
      {!newest.length && (
        <Empty icon="page" title={writes ? 'Nothing written yet' : 'Nothing has been shared with you yet'}>
          {writes && (
            <>
              <p>Begin with an empty page, or bring what you have.</p>
              <div class="actions">
                <button type="button" class="primary" onClick={() => void createDocument()}>
                  Write the first document
                </button>
                <a class="button" href="/import">
                  Import files
                </a>
              </div>
            </>
          )}
        </Empty>
      )}
      <ul class="cards">
        {newest.map((each) => (
          <li key={each.id}>
            <a class="card" href={`/d/${each.id}`}>
              <Icon name="page" />
              <strong>{each.title || 'Untitled'}</strong>
              <small>
                <Time at={each.updated_at} /> · {count(each.seq, 'edit')}
              </small>
            </a>
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
