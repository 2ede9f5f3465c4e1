"""What kind of program a name stands for.

A program is known by the base name of its image, without the version and variant that distributions add to it
(`python3.11`, `vim.basic`, `nc.openbsd`). What a name may do is a set of roles.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from pyloader.evidence.pattern import pattern

if TYPE_CHECKING:
    from pyloader.host import Process


class Role:
    """Bits of `Program.roles`; plain integers, since they are tested for every execution."""

    SHELL: Final = 1 << 0
    """Runs shell code."""
    INTERPRETER: Final = 1 << 1
    """Runs any code of a scripting language."""
    DOWNLOADER: Final = 1 << 2
    """Fetches what an address names."""
    DECODER: Final = 1 << 3
    """Turns text into what it encodes, given the right option."""
    RELAY: Final = 1 << 4
    """Joins its standard streams to a connection."""
    FILTER: Final = 1 << 5
    """Passes on what it reads."""
    DISCOVERY: Final = 1 << 6
    """Tells about the host, its users or its network."""
    SERVER: Final = 1 << 7
    """A web, database, name, cache or file server, which has no business with shells."""
    MAILER: Final = 1 << 8
    """A mail server or another one that runs helpers by its settings."""
    APPLICATION: Final = 1 << 9
    """An application server or a run time of such, which may well run shells."""
    ELEVATOR: Final = 1 << 10
    """Runs a command as another user."""
    WRAPPER: Final = 1 << 11
    """Runs the command at its end."""
    ESCAPE: Final = 1 << 12
    """Has a way to a shell that its user may take: editors, pagers, finders, archivers, interpreters."""
    SETUID: Final = 1 << 13
    """Comes with a set-uid bit on ordinary systems."""
    DAEMON: Final = 1 << 14
    """A system daemon whose name is trusted."""
    INETD: Final = 1 << 15
    """Hands a connection to the program that it starts."""
    TERMINAL: Final = 1 << 16
    """Opens shells for its user: terminals, logins, sandboxes, containers."""
    ORDINARY: Final = 1 << 17
    """An everyday tool, which no system ships with a set-uid bit."""
    COMPILER: Final = 1 << 18
    """Compiles code as it runs: a run time, an emulator, a browser, a database that compiles queries, a search."""
    TRACER: Final = 1 << 19
    """Reaches into other processes for a living: a debugger, a tracer, a profiler, a saver of processes."""
    KEEPER: Final = 1 << 20
    """Holds passwords or keys of others in its memory."""


_NAMES: Final[dict[int, str]] = {
    Role.SHELL
    | Role.ESCAPE: "sh bash dash zsh ksh mksh lksh pdksh ksh93 ash csh tcsh fish yash posh rc es elvish xonsh"
    " rbash busybox-sh oksh",
    Role.INTERPRETER | Role.ESCAPE: "python pypy perl ruby php lua luajit node nodejs deno bun tclsh wish expect irb"
    " jrunscript jjs guile julia Rscript R octave octave-cli pwsh groovy scala erl elixir jshell ghci clisp sbcl qjs"
    " php-cgi micropython ipython bpython gforth picolisp rakudo raku",
    Role.ESCAPE | Role.FILTER: "awk gawk mawk nawk sed",
    Role.DOWNLOADER: "curl wget fetch aria2c axel lynx links w3m http https httpie GET lwp-request lwp-download wget2"
    " curlie"
    " tftp xh",
    Role.DECODER | Role.FILTER: "base64 base32 basenc xxd openssl uudecode b64decode base58 gpg uncompress",
    Role.FILTER: "cat tee tr cut head tail rev grep gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat zstd zstdcat"
    " lz4 dd"
    " dos2unix iconv pv sort uniq paste fold tac envsubst stdbuf unzip funzip sudo doas env",
    Role.RELAY: "nc netcat ncat socat telnet cryptcat pwncat websocat sbd dbd gs-netcat pnetcat",
    Role.DISCOVERY: "whoami id uname hostname hostnamectl ifconfig ip netstat ss ps w who last lastlog lastb"
    " lsblk mount"
    " env"
    " printenv getent groups lscpu dmidecode arp route lsof lsmod lspci lsusb users finger pstree uptime arch getcap"
    " lsb_release findmnt showmount smbstatus nmcli resolvectl systemd-detect-virt loginctl logname tty df free lshw"
    " ipcs blkid ethtool iwconfig pinky nproc sockstat rpcinfo nbtscan domainname dnsdomainname pgrep",
    Role.SERVER | Role.DAEMON: "nginx apache2 httpd lighttpd caddy h2o openresty tengine angie mysqld mariadbd postgres"
    " redis-server valkey-server keydb-server dragonfly memcached mongod mongos clickhouse-server couchdb named bind9"
    " unbound pdns_server coredns nsd knotd vsftpd proftpd pure-ftpd influxd traefik envoy nats-server"
    " mosquitto cherokee"
    " thttpd webfsd mini_httpd lsws litespeed rpcbind",
    Role.MAILER
    | Role.DAEMON: "exim exim4 smtpd sendmail-mta dovecot opensmtpd courier cyrmaster slapd varnishd haproxy"
    " squid snmpd dnsmasq cupsd smbd nmbd sqlservr oracle tnslsnr db2sysc",
    Role.APPLICATION: "java node nodejs gunicorn uwsgi php-fpm php-cgi puma unicorn catalina tomcat tomcat9 jboss"
    " passenger"
    " uvicorn hypercorn daphne waitress-serve mod_wsgi beam.smp dotnet w3wp weblogic websphere jetty wildfly"
    " rackup mono",
    Role.ELEVATOR | Role.SETUID: "sudo doas pkexec su sudoedit runuser sudo-rs run0 please gosu su-exec dzdo",
    Role.WRAPPER: "env nice nohup timeout stdbuf setarch linux32 linux64 i386 x86_64 ionice chrt taskset flock time"
    " strace"
    " ltrace setsid rlwrap torify torsocks proxychains proxychains4 aoss softlimit choom logsave faketime fakeroot"
    " eatmydata unbuffer cpulimit numactl prlimit setpriv capsh runcon grc xargs perf dbus-run-session dbus-launch"
    " ld.so ld-linux ld-linux-x86-64.so multitime valgrind catchsegv setlock chpst start-stop-daemon busybox toybox"
    " expect_unbuffer watch parallel script pidstat genie distcc sshpass xvfb-run agetty chronic sem ts with-contenv"
    " sg newgrp ksu bundle tsocks",
    Role.ESCAPE: "vim vi view ex rvim rview nvim nano pico ed emacs joe jed micro less more most man pg pager git find"
    " fd tar zip rsync ftp lftp sftp scp gdb nmap mysql psql sqlite3 sqlite cpan gem pip make gcc cobc crash dmesg"
    " journalctl systemctl mutt top htop ranger mc script split sort tcpdump wireshark zypper apt apt-get"
    " dpkg yum dnf rpm snap crontab at run-parts service openvpn puppet ansible certbot bundle yt-dlp youtube-dl"
    " ansible-playbook easy_install composer npm yarn wall write mail jq bpftrace stty rpmquery rpmverify rpmdb aria2c"
    " dhclient rsyslogd logrotate tex latex pdflatex pdftex luatex lualatex xelatex emacsclient gimp vimdiff vimtutor"
    " visudo vipw vigr busctl pdb iftop hping3 scanmem tdbtool helm terraform restic borg rlogin telnet latexmk socat"
    " byebug cowsay cowthink irssi links lynx nroff groff pry psftp pexec gnuplot rake ssh-keygen varnishncsa fzf"
    " exiftool ffmpeg bc dc dialog wget enscript xdg-user-dir sshfs neofetch cmake msgfilter check_by_ssh",
    Role.SETUID: "passwd mount umount ping ping4 ping6 newgrp chsh chfn gpasswd chage expiry fusermount fusermount3 at"
    " crontab ssh-keysign dbus-daemon-launch-helper polkit-agent-helper-1 Xorg Xorg.wrap chrome-sandbox snap-confine"
    " exim4 exim sendmail postdrop postqueue unix_chkpwd newuidmap newgidmap bwrap ntfs-3g staprun traceroute"
    " traceroute6 mtr mtr-packet mount.nfs mount.cifs mount.ecryptfs_private ksu sudoreplay"
    " pam_timestamp_check userhelper"
    " usernetctl grub2-set-bootflag cockpit-session vmware-user-suid-wrapper VBoxHeadless VirtualBoxVM suexec"
    " lxc-user-nic singularity starter-suid Xvfb procmail lockdev pppd ssh-agent wall write bsd-write utempter"
    " dotlockfile mlocate plocate locate screen unix2_chkpwd doas_keepenv cgexec vmware-vmx spice-client-glib-usb-acl"
    "-helper chkstat ecryptfs fbterm kismet_cap_linux_wifi libvirt-dbus nvidia-modprobe flatpak-bwrap",
    Role.DAEMON: "sshd systemd systemd-journald systemd-logind systemd-resolved systemd-udevd systemd-networkd"
    " systemd-timesyncd cron crond atd rsyslogd syslogd dbus-daemon polkitd udevd chronyd ntpd auditd acpid irqbalance"
    " NetworkManager dockerd containerd kubelet agetty accounts-daemon udisksd snapd kworker kthreadd"
    " ksoftirqd rcu_sched"
    " watchdogd kswapd0",
    Role.TERMINAL: "screen tmux script login agetty getty newgrp sg ksu bwrap firejail singularity apptainer"
    " starter-suid"
    " snap-confine flatpak xterm urxvt rxvt konsole gnome-terminal gnome-terminal-server kitty alacritty"
    " wezterm foot ttyd"
    " terminator xfce4-terminal tilix st code code-server sshd docker podman nerdctl ctr containerd-shim"
    " runc crun conmon"
    " buildah kubectl crictl lxc lxc-attach lxc-start incus machinectl systemd-nspawn chroot arch-chroot"
    " schroot nsenter"
    " unshare vagrant ssh mosh mosh-server tmate byobu zellij dtach abduco mc emacs tini dumb-init"
    " catatonit s6-supervise"
    " docker-init jupyter-lab jupyter-notebook su runuser sudo watch crontab visudo systemd-run vscode-server toolbox"
    " distrobox multipass virsh gosu nix-shell nix",
    Role.ORDINARY: "ls cat cp mv rm ln mkdir rmdir touch chmod chown chgrp stat test echo printf tail sort uniq wc cut"
    " paste"
    " join comm tr expand fold nl pr od hexdump hd strings split csplit shuf seq tac rev tee install dd df du date cal"
    " diff diff3 sdiff cmp patch file basename dirname readlink realpath mktemp mkfifo mknod sync truncate sum md5sum"
    " sha1sum sha256sum sha512sum b2sum cksum ar as ld nm objdump objcopy readelf strip ranlib gprof c++filt gcc g++ cc"
    " clang make cmake ninja cpio bzip2 gzip xz zstd lzma lz4 7z 7za rar unrar unzip zip zipinfo gunzip"
    " zcat tar column look"
    " colrm look col ul nl logger look rename grep egrep fgrep agrep sed awk jq yq xmllint xsltproc"
    " iconv dos2unix unix2dos"
    " recode msgfilter msgattrib msgcat msgconv msgmerge msguniq enscript a2ps pandoc dig nslookup host"
    " whois nft iptables"
    " iptables-save sysctl systemctl journalctl service insmod modprobe rmmod setcap setfacl getfacl"
    " chattr lsattr useradd"
    " usermod userdel groupadd xargs kill killall pkill nice renice ionice watch curl wget git svn hg rsync scp sftp"
    " ssh-keygen ssh-keyscan ssh-copy-id fmt genisoimage mkisofs highlight hexyl jar java javac ldconfig"
    " ldd lua m4 openssl"
    " pidstat rtorrent run-mailcap rpmquery rpmverify rpmdb soelim tbl eqn troff tic tput troff uuencode"
    " uudecode vmstat"
    " xdotool xmodmap xxd yarn yelp zsoelim zypper bpftool debugfs dmsetup fdisk parted losetup ctags"
    " ispell aspell look"
    " gtester check_by_ssh check_cups check_log check_memory check_raid check_ssl_cert check_statusfile cupsfilter nft"
    " dosbox efax elvish eqn espeak expand nasm gas ffmpeg ncdu ncftp nsupdate octave pidof ptx restic sash shuf socat"
    " sqlite3 ss strace sysctl tasksh tclsh terraform tftp time tmate torify unsquashfs"
    " update-alternatives vagrant varnishncsa"
    " w3m whiptail wireshark xelatex xz zathura asterisk easyrsa ansible-test base58 basez bridge acr"
    " atobm aoss capsh arj",
    Role.COMPILER: "java javaw node nodejs deno bun pypy luajit dotnet mono mono-sgen julia pwsh guile beam.smp racket"
    " chez sbcl clisp php php-fpm php-cgi postgres mariadbd openresty clickhouse-server mongod chrome chromium"
    " chromium-browser firefox firefox-esr firefox-bin thunderbird WebKitWebProcess epiphany electron code slack"
    " discord gnome-shell gjs cinnamon plasmashell kwin_wayland qutebrowser Xorg Xwayland wine wine64 wine-preloader"
    " wine64-preloader wasmtime wasmer qemu"
    " qemu-system-x86_64 qemu-system-aarch64 qemu-system-arm qemu-system-i386 qemu-system-riscv64 qemu-x86_64"
    " qemu-aarch64 qemu-arm qemu-i386 qemu-riscv64 qemu-x86_64-static qemu-aarch64-static qemu-arm-static valgrind"
    " box64 FEXInterpreter dolphin-emu octave R memcheck-amd64-linux callgrind-amd64-linux"
    " cachegrind-amd64-linux massif-amd64-linux helgrind-amd64-linux drd-amd64-linux dhat-amd64-linux"
    " none-amd64-linux memcheck-arm64-linux callgrind-arm64-linux cachegrind-arm64-linux massif-arm64-linux"
    " helgrind-arm64-linux drd-arm64-linux dhat-arm64-linux none-arm64-linux"
    # These compile regular expressions (PCRE2).
    " grep egrep git rg pcre2grep",
    Role.TRACER: "gdb gdbserver lldb lldb-server strace ltrace rr perf valgrind criu delve dlv uftrace reptyr pstack"
    " gcore eu-stack py-spy rbspy bpftrace systemtap stapio uprobes drgn crashpad_handler chrome_crashpad_handler"
    " minidump-2-core apport systemd-coredump abrt-hook-ccpp wineserver proot radare2 scanmem GameConqueror"
    " qemu-gdb gdb-multiarch lldb-argdumper retrace frida-trace",
    Role.KEEPER: "sshd sshd-session ssh-agent gpg-agent gnome-keyring-daemon gnome-keyring-d kwalletd ksecretd sudo su"
    " login polkitd gdm-password gdm-session-worker lightdm sddm-helper sssd sssd_be sssd_pam winbindd smbd vsftpd"
    " dropbear krb5kdc kadmind slapd keepassxc bitwarden secrets-daemon vault passwd unix_chkpwd dovecot",
    Role.INETD: "inetd xinetd systemd tcpserver tcpd ucspi-tcp git-daemon openbsd-inetd rlinetd launchd init",
}

_VERSION = pattern(r"(?:[-_.]?v?\d++|\.(?:basic|tiny|nox|gtk3?|openbsd|traditional|distrib|real|bin))++$")
_INTERPRETERS = pattern(r"^((?:python|perl|ruby|php|lua|node|bash|pypy|tclsh|guile)(?=\d)|luajit(?=-\d))")

_LONGEST: Final = 64
"""No known name is so long, with version and variant."""

ROLES: Final[dict[str, int]] = {}
"""The roles of a name: the one table that the rest is looked up in."""
for _roles, _names in _NAMES.items():
    for _name in _names.split():
        ROLES[_name] = ROLES.get(_name, 0) | _roles


class Program(msgspec.Struct, frozen=True):
    """A program by its plain name, and what it may do."""

    name: str
    roles: int


def names(words: str) -> frozenset[str]:
    """Return a set of names that are written as one text."""
    return frozenset(words.split())


def plain_name(name: str) -> str:
    """Return a program's name without version and variant: `python3.11` is `python`."""
    if name in ROLES:
        return name
    name = name.removeprefix("-")
    if match := _INTERPRETERS.match(name):
        return match[1]
    if len(name) > _LONGEST:
        return name
    plain = _VERSION.sub("", name)
    return plain if plain in ROLES else name


def base_name(path: str) -> str:
    """Return what stands behind the last slash of a path."""
    return path[path.rfind("/") + 1 :]


_MULTI_CALL: Final = frozenset({"busybox", "toybox", "coreutils"})
"""Images that are many programs."""


class Programs:
    """Programs by base name. At most `capacity` names are remembered; a full table is forgotten as a whole."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._known: dict[str, Program] = {}

    def named(self, path: str) -> Program:
        """Return the program that a path or a name stands for."""
        name = path[path.rfind("/") + 1 :]
        program = self._known.get(name)
        return program if program is not None else self._learn(name)

    def of(self, process: "Process") -> tuple[Program, tuple[str, ...]]:
        """Return the program that a process runs, and its arguments.

        The image decides. One that has no roles of its own, such as a renamed interpreter, is what the caller called
        it; one that is many programs is the one that its first argument names.
        """
        argv = process.args
        program = self.named(process.exe or process.comm)
        if program.name in _MULTI_CALL and argv and self.named(argv[0]).name in _MULTI_CALL:
            argv = argv[1:]
        if program.roles and program.name not in _MULTI_CALL:
            return program, argv
        for alias in (argv[0] if argv else "", process.filename, process.comm):
            other = self.named(alias)
            if other.roles and other.name not in _MULTI_CALL:
                return other, argv
        return program, argv

    def _learn(self, name: str) -> Program:
        if len(self._known) >= self.capacity:
            self.evicted += len(self._known)
            self._known.clear()
        plain = plain_name(name)
        program = self._known[name] = Program(plain, ROLES.get(plain, 0))
        return program
