#!/bin/sh
# Run once by the image of Postgres, when its volume is new: the database of Prefect, with a role of its own.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set=password="$PREFECT_DB_PASSWORD" <<'SQL'
CREATE ROLE prefect LOGIN PASSWORD :'password';
CREATE DATABASE prefect OWNER prefect;
SQL
