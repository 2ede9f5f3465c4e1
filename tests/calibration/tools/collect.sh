#!/bin/sh
# What an agent for figures does, as a shell script.
out=/srv/spool/figures.txt
{
    date +%s
    for part in cpu io memory; do cat /proc/pressure/$part 2>/dev/null; done
    df -Pk | awk 'NR > 1 {print $6, $5}'
    ps -eo comm= | sort | uniq -c | sort -rn | head -n 5
    redis-cli -h 127.0.0.1 info clients | grep connected
    psql -h 127.0.0.1 -U app -Atc 'select count(*) from visits' app
} > $out 2>&1
curl -s -o /dev/null --data-binary @$out http://127.0.0.1/app/figures
logger -t figures "$(wc -l < $out) lines" 2>/dev/null
