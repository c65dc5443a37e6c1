/** What the API sends, as far as the page reads it. */

export interface User {
  id: string
  email: string
  name: string
  is_operator?: boolean
}

export type Role = 'owner' | 'admin' | 'member' | 'guest'

export interface Org {
  id: string
  name: string
  role: Role
}

export interface Doc {
  id: string
  org_id: string
  parent_id?: string | null
  org_access?: string
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
  state: 'running' | 'succeeded' | 'failed'
  attempts: number
  seq_from: number | null
  seq_to: number | null
  bytes_out: number | null
  hash_out: string | null
  error: string | null
  started_at: string
  finished_at: string | null
  flow_run_url: string | null
}

export interface Export {
  id: string
  state: 'pending' | 'running' | 'succeeded' | 'failed'
  format: string
  error: string | null
  download_url: string | null
}

export interface CollabToken {
  token: string
  url: string
  access: 'read' | 'write'
}
