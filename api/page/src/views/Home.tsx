/** Where one arrives: the newest documents, or how to begin. */

import { useState } from 'preact/hooks'
import { Icon, Time } from '../parts'
import { createDocument, docs, me, org } from '../state'
import { Found, MenuButton } from './Shell'

export function Home() {
  const [founding, setFounding] = useState(false)
  const newest = [...docs.value].sort((one, other) => other.updated_at.localeCompare(one.updated_at)).slice(0, 12)
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
        <h1>{org.value ? org.value.name : `Welcome, ${me.value?.name ?? ''}`}</h1>
      </header>
      {!org.value && (
        <section class="empty">
          <p>An organization holds your documents and the people you write with.</p>
          <button type="button" class="primary" onClick={() => setFounding(true)}>
            Create an organization
          </button>
          <p>Invited somewhere? Open the link in your mail.</p>
        </section>
      )}
      {org.value && !newest.length && (
        <section class="empty">
          <p>Nothing written yet.</p>
          <button type="button" class="primary" onClick={() => void createDocument()}>
            Write the first document
          </button>
        </section>
      )}
      <ul class="cards">
        {newest.map((each) => (
          <li key={each.id}>
            <a class="card" href={`/d/${each.id}`}>
              <Icon name="page" />
              <strong>{each.title || 'Untitled'}</strong>
              <small>
                <Time at={each.updated_at} /> · {each.seq} edits
              </small>
            </a>
          </li>
        ))}
      </ul>
      {founding && <Found onClose={() => setFounding(false)} />}
    </div>
  )
}
