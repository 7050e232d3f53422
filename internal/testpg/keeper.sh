# The keeper: starts a PostgreSQL cluster in $2 with the programs in $1, says
# "ready", and takes everything down when its standard input ends.
set -eu
programs=$1 folder=$2

# The owner may die while the server starts. What is said to nobody then must not
# kill whoever says it: pg_ctl has to see the server up before it can stop it.
trap '' PIPE
clean_up() {
    exec >/dev/null 2>&1
    "$programs/pg_ctl" stop --wait --mode=immediate --pgdata="$folder/data" || true # it may not run
    rm -rf "$folder"
}
trap clean_up EXIT

# Linguistic sort order, as on most real servers: a query that needs the order of
# bytes has to say so, and a test should notice when it does not.
"$programs/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --no-sync \
    --encoding=UTF8 --locale=C --locale-provider=icu --icu-locale=en-US </dev/null

# A lost cluster is no loss, so nothing waits for the disk; transactions and
# locks behave as ever. The socket in a private folder is the only way in.
cat >>"$folder/data/postgresql.conf" <<EOF
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 200
fsync = off
full_page_writes = off
synchronous_commit = off
EOF
"$programs/pg_ctl" start --wait --pgdata="$folder/data" --log="$folder/log" </dev/null ||
    { cat "$folder/log"; exit 1; }

echo ready
exec >/dev/null 2>&1
cat
