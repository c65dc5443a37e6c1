-- A row in every table, as the code of the last release writes them: see models/migrations/__init__.py.

INSERT INTO backups (
    id, kind, state, object_key, sha256, bytes, error, flow_run_id, started_at, finished_at
) VALUES (
    '2a5b3f6f-0760-7156-9761-fd91aeac42b8', 'kind', 'succeeded', 'object key', 'sha256', 1, 'error',
    'dce08cb9-d596-71f4-b7b4-2742b6f21502', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO drills (
    id, state, source, restored_to, rpo_seconds, rto_seconds, documents, objects, findings, error, flow_run_id,
    started_at, finished_at
) VALUES (
    '344b5c58-fdea-76ce-9f51-c8998a48365c', 'good', 'source', '2026-11-01 12:00:00+00', 1.5, 1.5, 1, 1, '[]',
    'error', '1503c4b7-d495-764d-bb05-45185981b1b3', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO erasures (
    user_id, report, flow_run_id, erased_at
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', '{}', 'dfefa2c1-d3db-71a1-9b83-a9c2902e16ab', '2026-11-01 12:00:00+00'
);
INSERT INTO link_requests (
    id, purpose, sealed, created_at
) VALUES (
    '526ab5a8-0aca-751d-91e1-970c0b3f7a3e', 'reset_password', '\x7365616c6564', '2026-11-01 12:00:00+00'
);
INSERT INTO mails (
    id, recipient, template, state, attempts, sealed, error, flow_run_id, created_at, finished_at
) VALUES (
    '6e1f818d-3979-78d8-9e17-31d15439985d', 'recipient', 'template', 'sent', 1, '\x7365616c6564', 'error',
    'e9ad893c-474c-7e6f-a739-801ea6da8adb', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO outbox (
    kind, subject_id, org_id, payload, generation, attempts, created_at, due_at, leased_until, lease_id, error,
    faults
) VALUES (
    'document.changed', '023f1fef-66e9-7ffe-9395-93b0cc1c436d', '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '{}', 1, 1,
    '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00',
    '6e39c2a8-bfba-765e-b0bf-a98dc2c7457e', 'error', 1
);
INSERT INTO run_leases (
    flow_run_id, name, leased_until
) VALUES (
    'a73fe3dc-8b9f-721c-beb8-3f03cb4d2a50', 'name', '2026-11-01 12:00:00+00'
);
INSERT INTO signing_keys (
    kid, public_key, sealed, created_at, signs_from, verifies_until
) VALUES (
    'kid', '\x7075626c69635f6b6579', '\x7365616c6564', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00',
    '2026-11-01 12:00:00+00'
);
INSERT INTO sweeps (
    id, objects, unreferenced, removed, bytes_removed, missing, flow_run_id, started_at, finished_at
) VALUES (
    '42de9c4f-527f-73e1-8cb7-be6b8748d240', 1, 1, 1, 1, 1, 'a69afde7-83df-75a8-b496-3b36bc564b5d', '2026-11-01
    12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO unrecorded_runs (
    id, flow, name, tags, parameters, org_ids, subject_ids, state, message, started_at, finished_at
) VALUES (
    'f808fe80-e5fb-7981-81ca-0d7d2fd67e20', 'flow', 'name', '{kind:persist}', '{}',
    '{99872a9b-97b9-73d7-9c24-be9ab6a9dbf7}', '{c414fe48-56f1-7f3d-8c00-e7e456cfc256}', 'state', 'message',
    '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO unreferenced_objects (
    key, since
) VALUES (
    'key', '2026-11-01 12:00:00+00'
);
INSERT INTO users (
    id, email, name, password_hash, is_operator, created_at, tokens_valid_from, email_verified_at
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', 'ann@example.com', 'Ann', 'password hash', false, '2026-11-01
    12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO account_events (
    id, user_id, action, details, request_id, ip, user_agent, created_at
) VALUES (
    '1771b39b-930a-77cb-862f-507f073aa3f5', '12a295be-1740-73e6-9188-2adf747029b5', 'action', '{}', 'request id',
    'ip', 'user agent', '2026-11-01 12:00:00+00'
);
INSERT INTO auth_sessions (
    id, user_id, user_agent, ip, created_at, last_used_at, expires_at, kind
) VALUES (
    '32158f0c-0a3f-7ee2-8213-8dfc3fe93212', '12a295be-1740-73e6-9188-2adf747029b5', 'user agent', 'ip', '2026-11-01
    12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', 'browser'
);
INSERT INTO digests (
    user_id, day, notifications, created_at
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01', 1, '2026-11-01 12:00:00+00'
);
INSERT INTO factor_guesses (
    user_id, guesses, since
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', 1, '2026-11-01 12:00:00+00'
);
INSERT INTO federated_identities (
    id, user_id, provider, issuer, subject, email, created_at, last_used_at
) VALUES (
    '901ab8ad-456e-7df3-8add-d7659360ef62', '12a295be-1740-73e6-9188-2adf747029b5', 'provider', 'issuer', 'subject',
    'email', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO federation_errands (
    id, provider, sealed, return_to, user_id, session_id, expires_at
) VALUES (
    '0b0b1398-4e58-7429-8f62-a332e554e669', 'provider', '\x7365616c6564', 'return to',
    '12a295be-1740-73e6-9188-2adf747029b5', '32158f0c-0a3f-7ee2-8213-8dfc3fe93212', '2026-11-01 12:00:00+00'
);
INSERT INTO idempotency_keys (
    user_id, key, fingerprint, status, headers, body, created_at
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', 'key', '\x66696e6765727072696e74', 1, 'headers', '\x626f6479',
    '2026-11-01 12:00:00+00'
);
INSERT INTO mail_links (
    hash, user_id, purpose, email, password_hash, name, created_at, expires_at
) VALUES (
    '\x68617368', '12a295be-1740-73e6-9188-2adf747029b5', 'verify_email', 'email', 'password hash', 'name',
    '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO mail_preferences (
    user_id, mailing
) VALUES (
    '12a295be-1740-73e6-9188-2adf747029b5', 'daily'
);
INSERT INTO organizations (
    id, name, created_by, created_at, default_org_access, members_may_invite, members_may_share, invitation_domains
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'Acme', '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01
    12:00:00+00', 3, false, false, '{example.com}'
);
INSERT INTO passkey_challenges (
    id, purpose, challenge, user_id, bound_to, expires_at
) VALUES (
    '8c073288-67ad-7f77-9dc9-109ae1aa2289', 'sign_in', '\x6368616c6c656e6765',
    '12a295be-1740-73e6-9188-2adf747029b5', 'f17e8147-d7ca-7fc1-95e3-5a2d21c1b0a4', '2026-11-01 12:00:00+00'
);
INSERT INTO passkeys (
    id, user_id, credential_id, public_key, sign_count, name, aaguid, transports, backed_up, created_at,
    last_used_at
) VALUES (
    '77ce09dc-a365-771a-899f-4bdafc775098', '12a295be-1740-73e6-9188-2adf747029b5', '\x63726564656e7469616c5f6964',
    '\x7075626c69635f6b6579', 1, 'name', 'aaguid', '[]', false, '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO pending_sign_ins (
    id, user_id, first, basis, fresh, attempts, expires_at
) VALUES (
    'fe34b08f-d0a5-7d2f-926d-30231a74c437', '12a295be-1740-73e6-9188-2adf747029b5', 'password', '\x6261736973',
    false, 1, '2026-11-01 12:00:00+00'
);
INSERT INTO personal_access_tokens (
    id, user_id, name, hash, scopes, created_at, expires_at, last_used_at
) VALUES (
    '32158f0c-0a3f-7ee2-8213-8dfc3fe93212', '12a295be-1740-73e6-9188-2adf747029b5', 'name', '\x68617368', '{read}',
    '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO personal_exports (
    id, user_id, state, sha256, bytes, error, flow_run_id, created_at, finished_at, expires_at
) VALUES (
    'd5b9a1c4-35ec-7fdd-a767-27d613044b53', '12a295be-1740-73e6-9188-2adf747029b5', 'succeeded', 'sha256', 1,
    'error', 'cd29b468-86bf-7589-93d3-205396bc91f8', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01
    12:00:00+00'
);
INSERT INTO pipeline_runs (
    org_id, id, document_id, pipeline, step, state, attempts, subject_id, seq_from, seq_to, hash_in, hash_out,
    bytes_out, error, flow_run_id, started_at, finished_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '149d3afc-33aa-7b8e-8cc2-31b8d0a54ffe',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 'pipeline', 'step', 'succeeded', 1,
    '2d395b5e-c36a-7dc5-b873-f87a162b7db9', 1, 1, 'hash in', 'hash out', 1, 'error',
    '200f1f56-7b07-7d36-91be-6fdb714e8bb2', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO reauthentications (
    session_id, method, proved_at
) VALUES (
    '32158f0c-0a3f-7ee2-8213-8dfc3fe93212', 'password', '2026-11-01 12:00:00+00'
);
INSERT INTO recovery_codes (
    id, user_id, digest, created_at, used_at
) VALUES (
    '43c71647-c558-7ec6-b5a7-06d6196932ab', '12a295be-1740-73e6-9188-2adf747029b5', '\x646967657374', '2026-11-01
    12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO refresh_tokens (
    hash, session_id, created_at, used_at
) VALUES (
    '\x68617368', '32158f0c-0a3f-7ee2-8213-8dfc3fe93212', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO retention_policies (
    org_id, all_days, hourly_days, daily_days, updated_by, updated_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 1, 7, 90, '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01
    12:00:00+00'
);
INSERT INTO totps (
    id, user_id, secret, last_step, created_at, confirmed_at
) VALUES (
    '2163ad52-6e0b-7aa8-b007-ed6d175aec50', '12a295be-1740-73e6-9188-2adf747029b5', '\x736563726574', 1, '2026-11-01
    12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO webhooks (
    org_id, id, url, events, sealed_secret, sealed_old_secret, old_until, failures, created_by, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c634dd79-cf7f-7054-aa47-59f9b8cf00b4', 'url', '{document.created}',
    '\x7365616c65645f736563726574', '\x7365616c65645f6f6c645f736563726574', '2026-11-01 12:00:00+00', 1,
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00'
);
INSERT INTO audit_events (
    org_id, id, actor_id, action, target_id, details, request_id, ip, user_agent, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '95853240-68d3-799d-8ba6-c6823d7149ed',
    '12a295be-1740-73e6-9188-2adf747029b5', 'action', '159463cf-00a8-7f43-aa9e-0f63b79dafed', '{}', 'request id',
    'ip', 'user agent', '2026-11-01 12:00:00+00'
);
INSERT INTO documents (
    org_id, id, title, version, created_by, created_at, updated_at, org_access
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 'Notes', 1,
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', 3
);
INSERT INTO exports (
    org_id, id, document_id, format, revision, state, seq, sha256, bytes, error, requested_by, flow_run_id,
    created_at, finished_at, done, total, upload_id
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '52e9eff7-2638-7609-82ea-76baa0729574',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 'markdown', 1, 'succeeded', 1, 'sha256', 1, 'error',
    '12a295be-1740-73e6-9188-2adf747029b5', '1b9885e9-7ec0-72ad-a8db-c73d1caf050a', '2026-11-01 12:00:00+00',
    '2026-11-01 12:00:00+00', 1, 1, 'upload id'
);
INSERT INTO groups (
    org_id, id, name, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '1dc98974-d9eb-7d7b-b173-dd77b5ce1472', 'name', '2026-11-01 12:00:00+00'
);
INSERT INTO imports (
    org_id, id, file_name, kind, sha256, bytes, state, done, total, error, requested_by, flow_run_id, created_at,
    finished_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'da26d864-492a-7ed6-84ab-49d72ba7a336', 'file name', 'markdown',
    'sha256', 1, 'succeeded', 1, 1, 'error', '12a295be-1740-73e6-9188-2adf747029b5',
    '7442dd34-d46d-776f-bfad-2fa677ef6f6a', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO invitations (
    org_id, id, email, role, secret_hash, invited_by, created_at, expires_at, max_uses, uses
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'f3ec4c7d-6500-7d7f-9108-e3ccc6970fab', 'email', 'member',
    '\x7365637265745f68617368', '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00', '2026-11-01
    12:00:00+00', 5, 1
);
INSERT INTO memberships (
    org_id, user_id, role, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '12a295be-1740-73e6-9188-2adf747029b5', 'owner', '2026-11-01
    12:00:00+00'
);
INSERT INTO notifications (
    org_id, id, user_id, event, kind, document_id, actor_id, data, created_at, read_at, mailed_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'ea6b92ef-c656-7f0a-b258-a760343e9b05',
    '12a295be-1740-73e6-9188-2adf747029b5', 'event', 'kind', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256',
    '12a295be-1740-73e6-9188-2adf747029b5', '{}', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01
    12:00:00+00'
);
INSERT INTO org_mail_preferences (
    org_id, user_id, mailing
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '12a295be-1740-73e6-9188-2adf747029b5', 'off'
);
INSERT INTO organization_backups (
    org_id, id, kind, state, object_key, sha256, bytes, "rows", documents, objects, missing, taken_at, error,
    requested_by, flow_run_id, created_at, started_at, finished_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'd3dd1d86-674d-701f-a1e8-7060ff002fd7', 'scheduled', 'succeeded',
    'object key', 'sha256', 1, 1, 1, 1, 1, '2026-11-01 12:00:00+00', 'error',
    '12a295be-1740-73e6-9188-2adf747029b5', '993c3a68-f420-7d28-9195-c7bbb26e705e', '2026-11-01 12:00:00+00',
    '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO quarantined_updates (
    org_id, id, document_id, seq, payload, error, actor_id, origin, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'f0fe43ad-014d-74e3-9a5b-9bc891ebefdc',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, '\x7061796c6f6164', 'error', '12a295be-1740-73e6-9188-2adf747029b5',
    'origin', '2026-11-01 12:00:00+00'
);
INSERT INTO revisions (
    org_id, id, document_id, number, kind, name, seq_from, seq_to, authors, chain, state, sha256, bytes_raw,
    bytes_stored, flow_run_id, created_by, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '039391b7-9ad0-70bb-80d3-3e9deabe0db2',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, 'automatic', 'name', 1, 1, '{12a295be-1740-73e6-9188-2adf747029b5}',
    '\x636861696e', 'stored', 'sha256', 1, 1, '1a9296b5-2ce7-742f-9685-db34a4775ca1',
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00'
);
INSERT INTO share_links (
    org_id, id, document_id, secret_hash, level, password_hash, epoch, created_by, created_at, expires_at, opened_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '34708873-7fb8-755d-b1af-20bd70811607',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', '\x7365637265745f68617368', 1, 'password hash', 1,
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00', '2026-11-01
    12:00:00+00'
);
INSERT INTO webhook_deliveries (
    org_id, id, webhook_id, event_key, event, payload, state, attempts, status, error, flow_run_id, created_at,
    finished_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'dbe98c23-3548-7b3b-ab1f-edeb78788390',
    'c634dd79-cf7f-7054-aa47-59f9b8cf00b4', 'event key', 'event', '{}', 'succeeded', 1, 1, 'error',
    'c180e2fb-33c9-79cd-a5c1-499fc36b02a1', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO access_requests (
    org_id, id, document_id, user_id, level, message, state, decided_by, created_at, decided_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'de060c5a-dd81-7d47-ba0e-920ce9f236af',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', '12a295be-1740-73e6-9188-2adf747029b5', 2, 'message', 'pending',
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00', '2026-11-01 12:00:00+00'
);
INSERT INTO document_grants (
    org_id, id, document_id, user_id, level, granted_by, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'd4d2dc94-745f-7db1-a726-e77f1f6c085d',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', '12a295be-1740-73e6-9188-2adf747029b5', 2,
    '12a295be-1740-73e6-9188-2adf747029b5', '2026-11-01 12:00:00+00'
);
INSERT INTO document_segments (
    org_id, document_id, seq_from, seq_to, chain, authors, sha256, bytes_raw, bytes_stored, flow_run_id, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, 1, '\x636861696e',
    '{12a295be-1740-73e6-9188-2adf747029b5}', 'sha256', 1, 1, '7f21f625-5fe2-7ec5-a81c-581827402d10', '2026-11-01
    12:00:00+00'
);
INSERT INTO document_streams (
    org_id, document_id, seq, chain, bytes_total, closed, snapshot_seq, snapshot_sha256
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, '\x636861696e', 1, false, 1,
    'snapshot sha256'
);
INSERT INTO document_texts (
    org_id, document_id, seq, text, words, updated_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, 'text', 1, '2026-11-01
    12:00:00+00'
);
INSERT INTO document_updates (
    org_id, document_id, seq, payload, chain, actor_id, session_id, origin, created_at
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 1, '\x7061796c6f6164',
    '\x636861696e', '12a295be-1740-73e6-9188-2adf747029b5', '79e2b038-046b-7f72-a80f-98f3d84fecbf', 'origin',
    '2026-11-01 12:00:00+00'
);
INSERT INTO document_watches (
    org_id, document_id, user_id, state
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'c414fe48-56f1-7f3d-8c00-e7e456cfc256',
    '12a295be-1740-73e6-9188-2adf747029b5', 'watch'
);
INSERT INTO export_parts (
    org_id, export_id, number, etag, bytes, last_document, entries
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '52e9eff7-2638-7609-82ea-76baa0729574', 1, 'etag', 1,
    'a6c07ce2-ca3e-73b7-96b3-a757961c061c', '[]'
);
INSERT INTO group_members (
    org_id, group_id, user_id
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', '1dc98974-d9eb-7d7b-b173-dd77b5ce1472',
    '12a295be-1740-73e6-9188-2adf747029b5'
);
INSERT INTO import_items (
    org_id, import_id, position, path, state, document_id, error, notes
) VALUES (
    '99872a9b-97b9-73d7-9c24-be9ab6a9dbf7', 'da26d864-492a-7ed6-84ab-49d72ba7a336', 1, 'path', 'imported',
    'c414fe48-56f1-7f3d-8c00-e7e456cfc256', 'error', '[]'
);
