/** What surrounds every view of somebody who is signed in: organizations, documents, oneself. */

import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { post } from '../api'
import { Menu, type Act } from '../menu'
import { Avatar, Dialog, Field, Icon, IconButton, type IconName, values } from '../parts'
import { go, place, type Place } from '../router'
import { attempt, away, choose, createDocument, loadOrgs, me, org, orgId, orgs, say, sidebarOpen, signedOut, theme } from '../state'
import type { Org } from '../types'
import { Bell } from './Notifications'
import { SearchDialog } from './Search'
import { Tree } from './Tree'

const APPLE = navigator.platform.startsWith('Mac')

export function Shell({ children }: { children: ComponentChildren }) {
  const [founding, setFounding] = useState(false)
  const [searching, setSearching] = useState(false)
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || !org.value) return
      event.preventDefault()
      setSearching(true)
    }
    addEventListener('keydown', hear)
    return () => removeEventListener('keydown', hear)
  }, [])
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
                <Icon name="search" /> <span class="grow">Search</span> <kbd>{APPLE ? '⌘K' : 'Ctrl K'}</kbd>
              </button>
              {org.value.role !== 'guest' && (
                <button type="button" class="row" onClick={() => void createDocument()}>
                  <Icon name="plus" /> New document
                </button>
              )}
            </div>
            <Tree />
            <div class="sidebar-actions">
              {org.value.role !== 'guest' && <Way name="import" icon="upload" label="Import" />}
              <Way name="trash" icon="trash" label="Trash" />
            </div>
          </>
        )}
        {away.value && (
          <p class="away" role="status">
            Offline: this is what your browser remembers.
          </p>
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

function Way({ name, icon, label }: { name: Place['name']; icon: IconName; label: string }) {
  return (
    <a class="row" href={`/${name}`} aria-current={place.value.name === name ? 'page' : undefined}>
      <Icon name={icon} /> {label}
    </a>
  )
}

/** A view that is no document: its title, and what is on it. */
export function Sheet({ title, hint, actions, children }: { title: string; hint?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Doxie`
  }, [title])
  return (
    <div class="sheet">
      <header class="head">
        <MenuButton />
        <div class="grow">
          <h1>{title}</h1>
          {hint && <p class="hint">{hint}</p>}
        </div>
        {actions}
      </header>
      {children}
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
      <a href="/" class="mark" aria-label="Start page">
        <img src="/icon.svg" alt="" width="24" height="24" />
      </a>
      <select
        aria-label="Organization"
        value={org.value?.id ?? ''}
        onChange={(event) => {
          const value = event.currentTarget.value
          event.currentTarget.value = org.value?.id ?? ''
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
      {org.value && org.value.role !== 'guest' && (
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
        <Field label="Name" name="name" hint="Your company, your team, or your own name." required autofocus />
        <button class="primary">Create</button>
      </form>
    </Dialog>
  )
}

const THEMES: [string, string][] = [
  ['system', 'Colours: as the system'],
  ['light', 'Colours: light'],
  ['dark', 'Colours: dark'],
]

function Foot() {
  const user = me.value
  if (!user) return null
  const [value, label] = THEMES[(THEMES.findIndex(([each]) => each === theme.value) + 1) % THEMES.length] ?? ['system', '']
  const acts: Act[] = [
    { label: 'Account and security', icon: 'shield', run: () => go('/account') },
    ...(user.is_operator ? [{ label: 'Operations', icon: 'gear', run: () => go('/admin') } as Act] : []),
    {
      label,
      icon: 'sun',
      run: () => {
        theme.value = value
        say(`${label}.`)
      },
    },
    { label: 'Sign out', icon: 'out', run: () => void attempt(() => post('/auth/logout').then(signedOut)) },
  ]
  return (
    <div class="foot">
      <Menu label="You" class="row grow" acts={acts}>
        <Avatar id={user.id} name={user.name} plain /> <span class="name">{user.name}</span>
      </Menu>
      <Bell />
    </div>
  )
}
