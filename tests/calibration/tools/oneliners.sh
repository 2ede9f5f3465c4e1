#!/bin/bash
# Twelve of the command lines that `oneliners` holds, from a place that a number chooses, in a folder of samples.
cd /home/dev/samples || exit 1
awk -v seed="$1" 'BEGIN {srand(seed)} {print rand() "\t" $0}' /srv/tools/oneliners | sort -n | cut -f 2- | head -n 12 |
while IFS= read -r line; do
    timeout 3 bash -c "$line" < /dev/null > /dev/null 2>&1
done
