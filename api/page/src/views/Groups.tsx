/** Groups of an organization: documents are shared with all who are in one at once. */

import { useEffect, useState } from 'preact/hooks'
import { all, del, get, patch, post, put } from '../api'
import { sure } from '../asking'
import { Menu, type Act } from '../menu'
import { Avatar, Choice, count, Dialog, Empty, Field, Icon, IconButton, Section, values } from '../parts'
import { attempt, say } from '../state'
import type { Group, Member, Org } from '../types'

type Person = Pick<Member, 'user_id' | 'name'>

export function Groups({ here, manages }: { here: Org; manages: boolean }) {
  const [groups, setGroups] = useState<Group[] | null>(null)
  const [open, setOpen] = useState<Group | null>(null)
  const [renaming, setRenaming] = useState<Group | null>(null)
  const base = `/orgs/${here.id}/groups`
  const load = () => attempt(async () => setGroups(await all<Group>(base)))
  useEffect(() => void load(), [here.id])
  const create = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { name } = values(event)
    const made = await attempt(() => post<Group>(base, { name }))
    if (!made) return
    form.reset()
    await load()
    setOpen(made)
  }
  const remove = async (group: Group) => {
    const text = 'Nobody leaves the organization; what was shared with the group is no longer shared with those in it.'
    if (!(await sure(`Delete the group “${group.name}”?`, text, 'Delete'))) return
    await attempt(async () => {
      await del(`${base}/${group.id}`)
      say(`“${group.name}” is deleted.`)
    })
    await load()
  }
  const acts = (group: Group): Act[] => [
    { label: 'Rename', run: () => setRenaming(group) },
    { label: 'Delete', icon: 'trash', danger: true, run: () => void remove(group) },
  ]
  return (
    <Section title="Groups" hint="Share a document with a group, and everybody in it has access, also those who join later.">
      {groups?.length === 0 && (
        <Empty icon="user" title="No groups yet">
          <p>{manages ? 'Make one for each team that shares documents.' : 'Admins of the organization make them.'}</p>
        </Empty>
      )}
      {!!groups?.length && (
        <ul class="list boxed" aria-label="Groups">
          {groups.map((each) => (
            <li key={each.id} class="row">
              <Avatar id={each.id} name={each.name} plain />
              <span class="grow">
                <strong>{each.name}</strong>
                <small>{count(each.members, 'person', 'people')}</small>
              </span>
              <button type="button" aria-label={`People in ${each.name}`} onClick={() => setOpen(each)}>
                People
              </button>
              {manages && <Menu label={`More about the group ${each.name}`} acts={acts(each)} />}
            </li>
          ))}
        </ul>
      )}
      {manages && (
        <form class="inline" onSubmit={create}>
          <Field label="New group" name="name" maxLength={200} required />
          <button class="primary">Create group</button>
        </form>
      )}
      {open && <People group={open} here={here} manages={manages} onChange={load} onClose={() => setOpen(null)} />}
      {renaming && <Rename group={renaming} path={`${base}/${renaming.id}`} onDone={load} onClose={() => setRenaming(null)} />}
    </Section>
  )
}

function Rename({ group, path, onDone, onClose }: { group: Group; path: string; onDone: () => void; onClose: () => void }) {
  const submit = async (event: Event) => {
    const { name } = values(event)
    if (!(await attempt(() => patch(path, { name }).then(() => true)))) return
    onDone()
    onClose()
  }
  return (
    <Dialog title={`Rename “${group.name}”`} onClose={onClose}>
      <form class="inline" onSubmit={submit}>
        <Field label="Name of the group" name="name" defaultValue={group.name} maxLength={200} required autofocus />
        <button class="primary">Rename</button>
      </form>
    </Dialog>
  )
}

interface PeopleProps {
  group: Group
  here: Org
  manages: boolean
  onChange: () => void
  onClose: () => void
}

function People({ group, here, manages, onChange, onClose }: PeopleProps) {
  const [inside, setInside] = useState<Person[] | null>(null)
  const [members, setMembers] = useState<Member[]>([])
  const base = `/orgs/${here.id}/groups/${group.id}/members`
  const load = () => attempt(async () => setInside((await get<{ items: Person[] }>(base)).items))
  useEffect(() => {
    void load()
    if (manages) void attempt(async () => setMembers(await all<Member>(`/orgs/${here.id}/members`)))
  }, [group.id])
  const change = async (work: () => Promise<void>) => {
    await attempt(work)
    await load()
    onChange()
  }
  const add = (event: Event) => {
    const { user_id } = values(event)
    void change(() => put(`${base}/${user_id}`, {}))
  }
  const outside = members.filter((each) => !inside?.some(({ user_id }) => user_id === each.user_id))
  return (
    <Dialog title={`People in “${group.name}”`} onClose={onClose}>
      {inside?.length === 0 && <p class="quiet">Nobody is in it yet.</p>}
      {!!inside?.length && (
        <ul class="list" aria-label={`People in ${group.name}`}>
          {inside.map((each) => (
            <li key={each.user_id} class="row">
              <Avatar id={each.user_id} name={each.name} plain />
              <strong class="grow">{each.name}</strong>
              {manages && <IconButton icon="close" label={`Take ${each.name} out`} onClick={() => void change(() => del(`${base}/${each.user_id}`))} />}
            </li>
          ))}
        </ul>
      )}
      {manages && !!outside.length && (
        <form class="inline" onSubmit={add}>
          <Choice label="Put in" name="user_id" options={outside.map((each) => [each.user_id, `${each.name} (${each.email})`])} />
          <button class="primary">
            <Icon name="plus" /> Add
          </button>
        </form>
      )}
    </Dialog>
  )
}
