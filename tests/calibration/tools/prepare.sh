#!/bin/sh
# Make the host of the recording out of this one: everything that is written from here on stays in memory of the
# overlays in $1, which only this mount namespace sees. $2 is the folder of tools, $3 the corpus of command lines.
set -e
layers=$1 tools=$2 corpus=$3
for folder in usr etc var home root srv opt; do
    mkdir -p "$layers/$folder/upper" "$layers/$folder/work"
    mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$layers/$folder/upper,workdir=$layers/$folder/work" "/$folder"
done
mkdir -p /srv/site /srv/tools /srv/spool /srv/backup /run/sshd /var/log/nginx /var/lib/logrotate
cp "$tools"/*.py "$tools"/*.sh "$tools"/*.js /srv/tools/
cp "$tools/nginx.conf" /etc/nginx/nginx.conf
echo 'APT::Periodic::RandomSleep "0";' > /etc/apt/apt.conf.d/99days
chmod 755 /srv/tools /srv/tools/* /root; chmod 777 /srv/spool /srv/backup
id dev > /dev/null 2>&1 || useradd -m -s /bin/bash dev
echo 'dev ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/dev; chmod 440 /etc/sudoers.d/dev
echo 'export LC_ALL=C.UTF-8 PAGER=cat GIT_PAGER=cat DEBIAN_FRONTEND=noninteractive' > /etc/profile.d/days.sh

# The site: pages, and a repository that people push to.
for number in $(seq 0 60); do
    { echo "<html><title>page $number</title><body>"; seq 1 $((number * 10 + 50)); echo '</body></html>'; } > /srv/site/page$number.html
done
cp /srv/site/page0.html /srv/site/index.html; echo 'User-agent: *' > /srv/site/robots.txt
git config --system user.name dev; git config --system user.email dev@example.org; git config --system init.defaultBranch main
git config --system --add safe.directory '*'
git -C /srv/site init -q; git -C /srv/site add .; git -C /srv/site commit -qm 'The site'
git clone -q --bare /srv/site /home/dev/site.git; git clone -q /home/dev/site.git /home/dev/site
echo first > /home/dev/site/notes.txt; git -C /home/dev/site add .; git -C /home/dev/site commit -qm 'Begin notes'

# What people have at home.
printf '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n' > /home/dev/hello.c
printf 'int main(void) { volatile int *p = 0; return *p; }\n' > /home/dev/crash.c
gcc -g -o /home/dev/hello /home/dev/hello.c; gcc -o /home/dev/crash /home/dev/crash.c
mkdir -p /home/dev/tool /home/dev/samples/sub /home/dev/.ssh /root/.ssh /home/dev/work
cp /home/dev/hello.c /home/dev/tool/main.c
printf 'all: main\nmain: main.c\n\tcc -o main main.c\nclean:\n\trm -f main\n' > /home/dev/tool/Makefile
seq 1 300 | tr '\n' ' ' > /home/dev/words
for name in file.txt data.csv log.txt a.log b.log input.txt text filename file1 file2 list.txt test.txt names.txt; do
    seq 1 40 | sed "s/\$/,value of $name,2026-01-01/" > /home/dev/samples/$name
done
cp /home/dev/hello.c /home/dev/samples/sub/; cp -r /home/dev/samples/file.txt /home/dev/samples/sub/x.py
# Harmless, reading command lines: every program of the line is one of these, and nothing is redirected.
awk -v allowed='awk basename cat comm column cut date diff dirname du echo egrep env expr factor fgrep file find fold grep head join ls md5sum nl od paste pr printf rev sed seq sort stat tac tail tr tree uniq wc xargs yes' '
    BEGIN {count = split(allowed, names, " "); for (i = 1; i <= count; i++) ok[names[i]] = 1}
    /[<>$`;&{(]|-i|-delete|-exec|-ok|fprint|system|tail.*-[fF]|sudo|\/dev|\/proc|\/ |\/$| ~/ {next}
    {parts = split($0, part, "|"); good = 1
     for (i = 1; i <= parts; i++) {sub(/^ +/, "", part[i]); split(part[i], word, " "); if (!(word[1] in ok)) good = 0}
     if (/xargs/ && !/xargs (-[0n1rI{}t ]+ *)*(ls|wc|cat|echo|grep|head|stat|file|md5sum|du)/) good = 0
     if (good) print}' "$corpus/benign_commands.txt" > /srv/tools/oneliners
chmod 644 /srv/tools/oneliners
rm -f /root/.ssh/days; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/days
cat /root/.ssh/days.pub > /root/.ssh/authorized_keys; cp /root/.ssh/authorized_keys /home/dev/.ssh/
chmod 700 /root/.ssh /home/dev/.ssh; chmod 600 /root/.ssh/authorized_keys /home/dev/.ssh/authorized_keys
chown -R dev: /home/dev
cat > /etc/ssh/sshd_config <<EOF
PermitRootLogin yes
UsePAM yes
PidFile /run/sshd-days.pid
ListenAddress 10.77.0.2
MaxStartups 100
EOF
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -A
cat > /etc/logrotate-site.conf <<EOF
/var/log/nginx/*.log /var/log/health.log {
    size 100k
    rotate 4
    compress
    su root adm
    missingok
    postrotate
        kill -USR1 \$(cat /run/nginx.pid)
    endscript
}
EOF

# Sessions get a control group of their own, as with logind.
cat > /srv/tools/scope.sh <<'EOF'
#!/bin/sh
[ "$PAM_TYPE" = open_session ] || exit 0
scope=$(cat /srv/tools/groups)/user.slice/session-$PPID.scope
mkdir -p "$scope" && echo $PPID > "$scope/cgroup.procs"
EOF
chmod 755 /srv/tools/scope.sh
echo 'session optional pam_exec.so /srv/tools/scope.sh' >> /etc/pam.d/sshd

# The databases.
rm -rf /var/lib/postgresql/days; install -d -o postgres /var/lib/postgresql/days
binaries=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); ln -sfn "$binaries" /srv/tools/postgresql
runuser -u postgres -- "$binaries/initdb" -A trust -D /var/lib/postgresql/days > /dev/null
mkdir -p /etc/postgresql-common; echo '\pset pager off' >> /etc/postgresql-common/psqlrc
mkdir -p /run/postgresql; chown postgres /run/postgresql
