/** Addresses that are told what happens in an organization. */

import { useEffect, useState } from 'preact/hooks'
import { del, get, patch, post } from '../api'
import { sure } from '../asking'
import { Menu, type Act } from '../menu'
import { Copy, count, Dialog, Empty, Field, Icon, Section, Time } from '../parts'
import { attempt, say } from '../state'
import type { Org } from '../types'

interface Webhook {
  id: string
  url: string
  events: string[]
  enabled: boolean
  failures: number
  secret: string | null
}

interface Delivery {
  id: string
  event: string
  state: 'pending' | 'succeeded' | 'failed'
  attempts: number
  status: number | null
  error: string | null
  created_at: string
}

const EVENTS: [string, string][] = [
  ['document.created', 'A document was created'],
  ['document.trashed', 'A document was moved to the trash'],
  ['document.erased', 'A document was deleted for good'],
  ['revision.stored', 'A revision was stored'],
  ['export.succeeded', 'An export is ready'],
  ['member.joined', 'Somebody joined'],
]

const STATES: Record<Delivery['state'], [string, string]> = {
  pending: ['On its way', 'warn'],
  succeeded: ['Delivered', 'good'],
  failed: ['Failed', 'bad'],
}

export function Webhooks({ here }: { here: Org }) {
  const [webhooks, setWebhooks] = useState<Webhook[] | null>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const [changing, setChanging] = useState<Webhook | null>(null)
  const [looking, setLooking] = useState<Webhook | null>(null)
  const base = `/orgs/${here.id}/webhooks`
  const load = () => attempt(async () => setWebhooks((await get<{ items: Webhook[] }>(base)).items))
  useEffect(() => void load(), [here.id])
  const create = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const made = await attempt(() => post<Webhook>(base, wanted(event)))
    if (!made) return
    setSecret(made.secret)
    form.reset()
    await load()
  }
  const rotate = async ({ id }: Webhook) => {
    if (!(await sure('Make a new secret?', 'For a day requests are signed with both, so that you can exchange it without a gap.', 'Make a new secret'))) return
    const made = await attempt(() => post<Webhook>(`${base}/${id}/rotate-secret`))
    if (made) setSecret(made.secret)
  }
  const enable = (each: Webhook, enabled: boolean) =>
    attempt(async () => {
      await patch(`${base}/${each.id}`, { enabled })
      say(enabled ? 'It is told again from now on.' : 'It is told nothing until it is enabled again.')
    }).then(load)
  const remove = async (each: Webhook) => {
    if (!(await sure('Delete this webhook?', `${each.url} is told nothing more.`, 'Delete'))) return
    await attempt(() => del(`${base}/${each.id}`))
    await load()
  }
  const acts = (each: Webhook): Act[] => [
    { label: 'Change', run: () => setChanging(each) },
    { label: 'New secret', icon: 'key', run: () => void rotate(each) },
    each.enabled ? { label: 'Disable', run: () => void enable(each, false) } : { label: 'Enable', run: () => void enable(each, true) },
    { label: 'Delete', icon: 'trash', danger: true, run: () => void remove(each) },
  ]
  return (
    <Section title="Webhooks" hint="Programs elsewhere are told what happens here, in signed requests (Standard Webhooks), again and again until they answer.">
      {secret && (
        <div class="notice">
          <p>Copy the secret now: it is not shown again. Whoever receives the requests checks their signatures with it.</p>
          <Copy label="The secret" text={secret} />
        </div>
      )}
      {webhooks?.length === 0 && (
        <Empty icon="link" title="No webhooks yet">
          <p>Add the address of a program that should hear of new documents, revisions or members.</p>
        </Empty>
      )}
      {!!webhooks?.length && (
        <ul class="list boxed" aria-label="Webhooks">
          {webhooks.map((each) => (
            <li key={each.id} class="row long">
              <Icon name="link" />
              <span class="grow">
                <strong>{each.url}</strong>
                <small>{each.events.join(' · ')}</small>
              </span>
              <Condition {...each} />
              <button type="button" aria-label={`Deliveries to ${each.url}`} onClick={() => setLooking(each)}>
                Deliveries
              </button>
              <Menu label={`More about ${each.url}`} acts={acts(each)} />
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={create}>
        <Wish />
        <div>
          <button class="primary">Add webhook</button>
        </div>
      </form>
      {changing && <Change webhook={changing} path={`${base}/${changing.id}`} onDone={load} onClose={() => setChanging(null)} />}
      {looking && <Deliveries webhook={looking} path={`${base}/${looking.id}/deliveries`} onClose={() => setLooking(null)} />}
    </Section>
  )
}

function Condition({ enabled, failures }: Webhook) {
  if (!enabled) return <span class="tag bad">{failures ? `Disabled after ${count(failures, 'failure')}` : 'Disabled'}</span>
  return failures ? <span class="tag warn">{count(failures, 'failure')} in a row</span> : <span class="tag good">Enabled</span>
}

/** An address, and what it is to be told. */
function Wish({ url = '', events = ['document.created'] }: { url?: string; events?: string[] }) {
  return (
    <>
      <Field label="Address" name="url" type="url" placeholder="https://" defaultValue={url} maxLength={2000} required />
      <fieldset>
        <legend>It is told when</legend>
        {EVENTS.map(([event, label]) => (
          <label key={event} class="check">
            <input type="checkbox" name="events" value={event} defaultChecked={events.includes(event)} />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
    </>
  )
}

function wanted(event: Event): { url: string; events: string[] } {
  event.preventDefault()
  const data = new FormData(event.currentTarget as HTMLFormElement)
  return { url: String(data.get('url')), events: data.getAll('events').map(String) }
}

function Change({ webhook, path, onDone, onClose }: { webhook: Webhook; path: string; onDone: () => void; onClose: () => void }) {
  const submit = async (event: Event) => {
    const wish = wanted(event)
    if (!(await attempt(() => patch(path, wish).then(() => true)))) return
    onDone()
    onClose()
  }
  return (
    <Dialog title="Change the webhook" onClose={onClose}>
      <form onSubmit={submit}>
        <Wish {...webhook} />
        <div>
          <button class="primary">Save</button>
        </div>
      </form>
    </Dialog>
  )
}

function Deliveries({ webhook, path, onClose }: { webhook: Webhook; path: string; onClose: () => void }) {
  const [found, setFound] = useState<Delivery[] | null>(null)
  const load = () => attempt(async () => setFound((await get<{ items: Delivery[] }>(`${path}?limit=50`)).items))
  const pending = found?.some(({ state }) => state === 'pending')
  useEffect(() => void load(), [webhook.id])
  useEffect(() => {
    const looking = pending ? setInterval(load, 2000) : 0
    return () => clearInterval(looking)
  }, [pending])
  const again = (each: Delivery) =>
    attempt(async () => {
      await post(`${path}/${each.id}/redeliver`)
      say('It is sent again.')
    }).then(load)
  return (
    <Dialog title="Deliveries" onClose={onClose}>
      <p class="hint break">{webhook.url}</p>
      {found?.length === 0 && <p class="quiet">Nothing has happened yet that it is told.</p>}
      {!!found?.length && (
        <ul class="list" aria-label="Deliveries">
          {found.map((each) => {
            const [word, tone] = STATES[each.state]
            return (
              <li key={each.id} class="row">
                <span class="grow">
                  <strong>{each.event}</strong>
                  <small>
                    <Time at={each.created_at} /> · {count(each.attempts, 'attempt')}
                    {each.status !== null && ` · answered ${each.status}`}
                  </small>
                  {each.error && <small class="error">{each.error}</small>}
                </span>
                <span class={`tag ${tone}`}>{word}</span>
                {each.state !== 'pending' && (
                  <button type="button" onClick={() => void again(each)}>
                    Send again
                  </button>
                )}
              </li>
            )
          })}
        </ul>
      )}
    </Dialog>
  )
}
