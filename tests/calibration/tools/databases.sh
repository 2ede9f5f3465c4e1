#!/bin/sh
# Fill the databases, once they run.
until pg_isready -q -h 127.0.0.1; do sleep 0.2; done
createuser -h 127.0.0.1 -U postgres app
createdb -h 127.0.0.1 -U postgres -O app app
psql -q -h 127.0.0.1 -U app app -c 'create table visits as select n as id, n % 7 as page from generate_series(1, 5000) n'
pgbench -q -i -h 127.0.0.1 -U app app > /dev/null 2>&1
runuser -u postgres -- psql -q -d postgres -c 'create database dev owner postgres' > /dev/null 2>&1
