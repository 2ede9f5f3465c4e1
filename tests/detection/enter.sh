# The first process of a throw-away container: makes its world, runs one piece of work in it, and ends with it.
#
# usage: unshare --mount --pid --net --ipc --uts --fork --kill-child sh enter.sh PREPARED USER PEER
#
# The root is an overlay over that of the host whose changes live in memory. PREPARED is copied over it, and its
# /job/launch is what runs. PEER is `none`, or what the other end of a connection does: `listen`, or `call`.
set -eu
prepared=$1 user=$2 peer=$3

mount --make-rprivate /
mount -t tmpfs -o mode=755,size=512m box /mnt
mkdir /mnt/upper /mnt/scratch /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/scratch overlay /mnt/root
cd /mnt/root
mount -t tmpfs -o mode=1777,size=256m temporary tmp
mount -t tmpfs -o mode=700 hidden root
cp -a "$prepared/." .

mount -t proc proc proc
for path in proc/sys proc/sysrq-trigger proc/irq proc/bus; do
    test ! -e $path || { mount --bind $path $path && mount -o remount,bind,ro $path; }
done
mount -t tmpfs -o mode=755 devices dev
mkdir dev/pts dev/shm
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 pts dev/pts
mount -t tmpfs -o mode=1777,size=64m shared dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
# A whole network of addresses that are not those of the loopback, all of them here.
ip link set lo up
ip address add 203.0.113.9/24 dev lo
hostname throw-away
pivot_root . mnt
cd /
umount -l /mnt

test "$peer" = none || /usr/bin/python3 -ISs /job/peer.py "$peer" </dev/null >/dev/null 2>&1 &
if test "$peer" = listen; then
    while test ! -e /job/ready; do sleep 0.02; done
fi
id=$(id -u "$user") group=$(id -g "$user")
# Neither the clock nor modules, devices, mounts or the BPF programs of the host can be changed from in here.
set +e
setpriv --reuid "$id" --regid "$group" --init-groups --reset-env \
    --bounding-set -sys_time,-sys_module,-sys_boot,-sys_rawio,-mknod,-syslog,-sys_admin,-bpf,-perfmon,-mac_admin,-wake_alarm \
    sh /job/launch
result=$?
# What was started in the background gets a moment of its own.
sleep "${LINGER:-0.3}"
exit $result
