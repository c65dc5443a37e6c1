/** What surrounds every view of somebody who is signed in: organizations, documents, oneself. */

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { post } from '../api'
import { Avatar, Dialog, Field, Icon, IconButton, values } from '../parts'
import { go, place } from '../router'
import { attempt, choose, createDocument, loadOrgs, me, org, orgId, orgs, sidebarOpen, signedOut, theme } from '../state'
import type { Org } from '../types'
import { Bell } from './Notifications'
import { SearchDialog } from './Search'
import { Tree } from './Tree'

export function Shell({ children }: { children: ComponentChildren }) {
  const [founding, setFounding] = useState(false)
  const [searching, setSearching] = useState(false)
  return (
    <div class={sidebarOpen.value ? 'shell open' : 'shell'}>
      <a class="skip" href="#main">
        Skip to the document
      </a>
      <nav class="sidebar" aria-label="Documents" onClick={(event) => (event.target as Element).closest('a') && (sidebarOpen.value = false)}>
        <OrgSwitcher onFound={() => setFounding(true)} />
        {org.value && (
          <>
            <div class="sidebar-actions">
              <button type="button" class="row" onClick={() => setSearching(true)}>
                <Icon name="search" /> Search
              </button>
              <button type="button" class="row" onClick={() => void createDocument()}>
                <Icon name="plus" /> New document
              </button>
            </div>
            <Tree />
          </>
        )}
        <Foot />
      </nav>
      <div class="backdrop" onClick={() => (sidebarOpen.value = false)} />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {founding && <Found onClose={() => setFounding(false)} />}
      {searching && <SearchDialog onClose={() => setSearching(false)} />}
    </div>
  )
}

/** Opens the list of documents where the screen is narrow. */
export function MenuButton() {
  return <IconButton icon="menu" label="Documents" class="icon-button narrow" onClick={() => (sidebarOpen.value = true)} />
}

function OrgSwitcher({ onFound }: { onFound: () => void }) {
  return (
    <div class="org">
      <img src="/icon.svg" alt="" width="24" height="24" />
      <select
        aria-label="Organization"
        value={org.value?.id ?? ''}
        onChange={(event) => {
          const value = event.currentTarget.value
          if (value === '+') onFound()
          else void attempt(() => choose(value))
        }}
      >
        {orgs.value.map((each) => (
          <option key={each.id} value={each.id}>
            {each.name}
          </option>
        ))}
        {!orgs.value.length && <option value="">No organization yet</option>}
        <option value="+">New organization…</option>
      </select>
      {org.value && (
        <a class="icon-button" href={`/org/${org.value.id}`} aria-label="Members and settings" title="Members and settings">
          <Icon name="gear" />
        </a>
      )}
    </div>
  )
}

export function Found({ onClose }: { onClose: () => void }) {
  const submit = async (event: Event) => {
    const { name } = values(event)
    const made = await attempt(() => post<Org>('/orgs', { name }))
    if (!made) return
    orgId.value = made.id
    await attempt(loadOrgs)
    onClose()
    go('/')
  }
  return (
    <Dialog title="New organization" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Name" name="name" required autofocus />
        <button class="primary">Create</button>
      </form>
    </Dialog>
  )
}

const THEMES = ['system', 'light', 'dark']

function Foot() {
  const user = me.value
  if (!user) return null
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system'
  const signOut = async () => {
    await attempt(() => post('/auth/logout'))
    signedOut()
  }
  return (
    <div class="foot">
      <a class="row" href="/account" aria-current={place.value.name === 'account' ? 'page' : undefined}>
        <Avatar id={user.id} name={user.name} /> <span class="grow">{user.name}</span>
      </a>
      {user.is_operator && (
        <a class="icon-button" href="/admin" aria-label="Operations" title="Operations">
          <Icon name="flow" />
        </a>
      )}
      <Bell />
      <IconButton icon="sun" label={`Colours: ${theme.value}. Change to ${next}`} onClick={() => (theme.value = next)} />
      <IconButton icon="out" label="Sign out" onClick={() => void signOut()} />
    </div>
  )
}
