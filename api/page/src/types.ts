/** What the API sends, as far as the page reads it. */

export interface User {
  id: string
  email: string
  name: string
  email_verified_at?: string | null
  is_operator?: boolean
}

export type Role = 'owner' | 'admin' | 'member' | 'guest'

export interface Org {
  id: string
  name: string
  role: Role
  default_org_access: OrgLevel
  members_may_invite: boolean
  members_may_share: boolean
}

export type OrgLevel = 'none' | 'read' | 'comment' | 'write'
export type Level = 'read' | 'comment' | 'write' | 'manage'

export interface Doc {
  id: string
  org_id: string
  parent_id?: string | null
  org_access: OrgLevel
  level: Level
  title: string
  seq: number
  version: number
  created_by: string
  updated_at: string
  trashed_at: string | null
}

export interface Member {
  user_id: string
  name: string
  email: string
  role: Role
  suspended_at: string | null
}

export interface Group {
  id: string
  name: string
  members: number
}

export interface Session {
  id: string
  user_agent: string
  device?: string
  ip: string
  created_at: string
  last_used_at: string
  current: boolean
}

export interface Revision {
  id: string
  number: number
  kind: 'automatic' | 'named' | 'restore'
  name: string | null
  seq_from: number
  seq_to: number
  authors: string[]
  sha256: string | null
  state: string
  bytes_raw: number | null
  bytes_stored: number | null
  created_at: string
}

export interface Run {
  id: string
  pipeline: string
  step: string
  state: 'running' | 'succeeded' | 'failed' | 'set_aside'
  attempts: number
  seq_from: number | null
  seq_to: number | null
  bytes_out: number | null
  hash_out: string | null
  error: string | null
  started_at: string
  finished_at: string | null
  flow_run_id: string | null
  flow_run_url: string | null
}

export interface Export {
  id: string
  state: 'pending' | 'running' | 'succeeded' | 'failed'
  format: string
  done: number
  total: number | null
  bytes: number | null
  error: string | null
  download_url: string | null
}

export interface CollabToken {
  token: string
  url: string
  access: 'read' | 'write'
}

/** How one can sign in. */
export interface Methods {
  password: boolean
  totp: boolean
  recovery_codes: number
  passkeys: Passkey[]
  identities: Identity[]
}

export interface Passkey {
  id: string
  name: string
  created_at: string
  last_used_at: string | null
}

/** An account at a provider that signs in here. */
export interface Identity {
  id: string
  provider: string
  email: string
  last_used_at: string | null
}

/** Where one may sign in with an account one has elsewhere. */
export interface Provider {
  id: string
  name: string
}
